"""All layers as one file tree, given out file by file.

What belongs here: the order: first everything without content, sorted, directories before what is
in them; then files with content, in the order of the layers, so that each layer is read once and in
flat memory. The same image gives the same order. What does not: where the files go (`writing`,
`extraction`).
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
    """Where the files of a tree go."""

    def add(self, path: str, member: Member, data: Data | None = None) -> None:
        """Take a file, after its directory. ``data``: its content, where it has some."""
        ...

    def link(self, path: str, first: str, member: Member) -> None:
        """Take a further name of a file that was taken before."""
        ...


def flatten(tree: Tree, walk: Callable[[int], Iterator[Entry]], sink: Sink) -> None:
    """Give all files of a tree to a sink.

    Args:
        tree: of all layers.
        walk: walks through one layer again, by its number.
        sink: takes the files.

    Raises:
        IntegrityError: a layer has changed since it was read for the tree.
    """
    waiting = _add_all_without_content(tree, sink)
    for layer in sorted(waiting):
        _add_content(waiting[layer], walk(layer), sink)


def _add_all_without_content(tree: Tree, sink: Sink) -> dict[int, dict[int, list[str]]]:
    """Return what is left: the paths of files with content, by layer and position in it."""
    waiting: dict[int, dict[int, list[str]]] = {}
    taken: dict[int, str] = {}
    for path, node in tree.walk():
        member = node.member
        if member is None:
            # Nothing says what a directory is that is only passed through; engines make it so.
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
    raise IntegrityError("a layer has changed while it was read")
