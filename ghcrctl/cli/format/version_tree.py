"""The versions of a package as a tree: images, and below each what hangs on it.

What belongs here: the lines. A version that several need stands below each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.plans import NO_TAG, tags_shown
from ghcrctl.cli.format.safe import printable
from ghcrctl.cli.format.table import align
from ghcrctl.cli.format.tree import branches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.operations.packages.listing import VersionRow

_Node = tuple[str, tuple[str, ...]]


def draw(graph: Graph, rows: Sequence[VersionRow], *, full: bool, width: int | None = None) -> str:
    """Draw all roots with what goes with them.

    Args:
        graph: the package's.
        rows: its versions, the newest first.
        full: whether digests are shown in full.
        width: of the terminal, in cells; ``None`` for any.
    """
    by_digest = {row.version.digest: row for row in rows}
    text = "".join(f"{line}\n" for line in _lines(graph, rows, by_digest, full=full))
    lines = align(text, width)
    return "".join(f"{line.rstrip()}\n" for line in lines.splitlines())


def _lines(
    graph: Graph, rows: Sequence[VersionRow], by_digest: Mapping[str, VersionRow], *, full: bool
) -> Iterator[str]:
    yield "VERSION\tKIND\tDIGEST\tID\tSIZE"
    shown: set[str] = set()
    roots = [row.version.digest for row in rows if row.version.digest in graph.roots]
    # What is tied into a circle hangs on nothing else.
    reached = graph.reach(roots)
    roots += [d for d in by_digest if d not in reached]
    for root in roots:
        yield _line("", graph, root, by_digest, full=full)
        below: list[_Node] = [(digest, (root,)) for digest in _below(graph, root)]
        for indent, (digest, _) in branches(below, lambda node: _deeper(graph, node, shown)):
            yield _line(indent, graph, digest, by_digest, full=full)


def _deeper(graph: Graph, node: _Node, shown: set[str]) -> list[_Node]:
    digest, path = node
    if digest in shown or digest in path:
        return []
    shown.add(digest)
    return [(below, (*path, digest)) for below in _below(graph, digest)]


def _below(graph: Graph, digest: str) -> list[str]:
    return [d for d in dict.fromkeys(graph.below(digest)) if d != digest]


def _line(
    indent: str, graph: Graph, digest: str, by_digest: Mapping[str, VersionRow], *, full: bool
) -> str:
    row = by_digest.get(digest)
    shown = digest if full else digest.partition(":")[2][:12]
    if row is None:
        state = "not there" if digest in graph.gone else "not listed"
        platform = next(
            (
                child.platform
                for parent in graph.parents.get(digest, ())
                for child in graph.facts[parent].children
                if child.digest == digest
            ),
            "",
        )
        return f"{indent}{printable(platform) or '?'}\t{state}\t{shown}\t\t"
    words = ["orphan"] * row.is_orphan + ["broken"] * row.is_broken + [row.kind]
    platforms = ", ".join(row.platforms) if indent else ""
    name = tags_shown(row.version.tags) if row.version.tags else platforms or NO_TAG
    return (
        f"{indent}{printable(name)}\t{' '.join(words)}\t{shown}\t#{row.version.id}"
        f"\t{human_size(row.size)}"
    )
