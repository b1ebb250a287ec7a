"""Writes the file tree of all layers to a sink in a reproducible order.

Files without content come first, sorted, directories before their files. Files with content follow
in the order of the layers so that each layer is read once with bounded memory use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import IntegrityError
from ghcrctl.layers.members import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.layers.merged_tree import Tree
    from ghcrctl.layers.walk_layer import Data, Entry


class Sink(Protocol):
    """A target for the files of a tree."""

    def add(self, path: str, member: Member, data: Data | None = None) -> None:
        """Add a file after its directory; ``data`` is its content, if any."""
        ...

    def link(self, path: str, first: str, member: Member) -> None:
        """Add a hard link to a file that was added before."""
        ...


def flatten(tree: Tree, walk: Callable[[int], Iterator[Entry]], sink: Sink) -> None:
    """Write all files of a tree to a sink.

    Args:
        tree: tree of all layers.
        walk: returns the entries of a layer by its number.
        sink: target of the files.

    Raises:
        IntegrityError: a layer has changed since the tree was read.
    """
    waiting = _add_all_without_content(tree, sink)
    for layer in sorted(waiting):
        _add_content(waiting[layer], walk(layer), sink)


def _add_all_without_content(tree: Tree, sink: Sink) -> dict[int, dict[int, list[str]]]:
    """Add files without content; return the paths of the others by layer and position in it."""
    waiting: dict[int, dict[int, list[str]]] = {}
    taken: dict[int, str] = {}
    for path, node in tree.walk():
        member = node.member
        if member is None:
            # A directory without an entry gets the defaults, as in engines.
            if path:
                sink.add(path, Member(path, Kind.DIRECTORY))
        elif member.kind is Kind.FILE and member.size:
            waiting.setdefault(node.layer, {}).setdefault(member.number, []).append(path)
        elif member.kind is Kind.DIRECTORY or id(node) not in taken:
            taken[id(node)] = path
            sink.add(path, member)
        else:
            sink.link(path, taken[id(node)], member)
    return waiting


def _add_content(waiting: dict[int, list[str]], entries: Iterator[Entry], sink: Sink) -> None:
    for entry in entries:
        paths = waiting.pop(entry.member.number, None)
        if paths is None:
            continue
        if entry.member.kind is not Kind.FILE:
            break
        sink.add(paths[0], entry.member, entry.data)
        for path in paths[1:]:
            sink.link(path, paths[0], entry.member)
        if not waiting:
            return
    raise IntegrityError("a layer changed while it was read")
