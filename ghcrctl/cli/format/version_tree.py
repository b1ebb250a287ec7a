"""Draw the versions of a package as a tree.

A version that several others reference appears below each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.columns import headers_of, shapes_of
from ghcrctl.cli.format.plans import NO_TAG, tags_shown
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.size_bars import Bar, Bars
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table_layout import Cell, lay_out
from ghcrctl.cli.format.tree import branches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ghcrctl.cli.format.style import Glyphs, Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.github.graph import Graph
    from ghcrctl.operations.packages.list import VersionRow

_COLUMNS = ("Version", "Kind", "Digest", "ID", "Size")
_Node = tuple[str, tuple[str, ...]]


def draw(
    graph: Graph, rows: Sequence[VersionRow], style: Style, measure: Measure, *, full: bool
) -> str:
    """Return all roots and the versions below them as a table.

    Args:
        graph: the graph of the package.
        rows: its versions, newest first.
        style: what the terminal can show.
        measure: the format of sizes.
        full: whether to show complete digests.
    """
    by_digest = {row.version.digest: row for row in rows}
    table: list[Sequence[Cell]] = [headers_of([name.upper() for name in _COLUMNS])]
    bars: list[Bar | None] = [None]
    for lead, digest in _branches(graph, rows, by_digest, style.glyphs):
        row = by_digest.get(digest)
        shown = Cell(digest if full else digest.partition(":")[2][:12], Meaning.ASIDE)
        table.append(
            _version_cells(lead, row, shown, measure)
            if row
            else _missing_cells(lead, graph, digest, shown)
        )
        meaning = Meaning.PART if lead else Meaning.SHARED
        bars.append(Bar(((meaning, row.size),)) if row else None)
    return lay_out(table, shapes_of(_COLUMNS), style, Bars(bars))


def _branches(
    graph: Graph,
    rows: Sequence[VersionRow],
    by_digest: Mapping[str, VersionRow],
    glyphs: Glyphs,
) -> Iterator[tuple[str, str]]:
    shown: set[str] = set()
    roots = [row.version.digest for row in rows if row.version.digest in graph.roots]
    # Manifests in a reference cycle have no root; list them as roots.
    reached = graph.reach(roots)
    roots += [d for d in by_digest if d not in reached]
    for root in roots:
        yield "", root
        below: list[_Node] = [(digest, (root,)) for digest in _below(graph, root)]
        for lead, (digest, _) in branches(below, lambda node: _deeper(graph, node, shown), glyphs):
            yield lead, digest


def _deeper(graph: Graph, node: _Node, shown: set[str]) -> list[_Node]:
    digest, path = node
    if digest in shown or digest in path:
        return []
    shown.add(digest)
    return [(below, (*path, digest)) for below in _below(graph, digest)]


def _below(graph: Graph, digest: str) -> list[str]:
    return [d for d in dict.fromkeys(graph.below(digest)) if d != digest]


def _version_cells(lead: str, row: VersionRow, shown: Cell, measure: Measure) -> Sequence[Cell]:
    words = ["orphan"] * row.is_orphan + ["broken"] * row.is_broken + [row.kind]
    platforms = ", ".join(row.platforms) if lead else ""
    name = tags_shown(row.version.tags) if row.version.tags else platforms or NO_TAG
    meaning = Meaning.ASIDE if name == NO_TAG else Meaning.TAG
    return (
        Cell(lead + printable(name), None if lead else meaning),
        Cell(" ".join(words), Meaning.WARN if len(words) > 1 else None),
        shown,
        Cell(f"#{row.version.id}", Meaning.ASIDE),
        Cell(measure.size(row.size)),
    )


def _missing_cells(lead: str, graph: Graph, digest: str, shown: Cell) -> Sequence[Cell]:
    """Return the cells of a manifest that others reference but the package does not have."""
    platform = next(
        (
            child.platform
            for parent in graph.parents.get(digest, ())
            for child in graph.facts[parent].children
            if child.digest == digest
        ),
        "",
    )
    state = "missing" if digest in graph.missing else "not listed"
    name = Cell(lead + (printable(platform) or "?"))
    return (name, Cell(state, Meaning.BAD), shown, Cell(""), Cell(""))
