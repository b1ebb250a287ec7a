"""The comparison of two file trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import walk_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.layers.merged_tree import Node, Tree

# Returns the digest of a node's content.
ContentOf = Callable[["Node"], bytes]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that was added, deleted or changed.

    Args:
        path: path from the root, without a leading slash.
        before: the old file; ``None`` if it was added.
        after: the new file; ``None`` if it was deleted.
        what: the properties that changed, such as ``mode``.
    """

    path: str
    before: Member | None
    after: Member | None
    what: tuple[str, ...] = ()


class NeedsLowerLayerError(Exception):
    """Lower layers are needed to compare a file."""


def compare(
    before: Tree, after: Tree, content_before: ContentOf, content_after: ContentOf
) -> Iterator[FileChange]:
    """Yield the changed files, sorted. Modification times are ignored, as each build changes them.

    Args:
        before: the old tree.
        after: the new tree; if both are open, they have the same lower layers.
        content_before: returns the digest of a file in the old tree.
        content_after: returns the digest of a file in the new tree.

    Raises:
        NeedsLowerLayerError: lower layers are needed.
    """
    pending: list[tuple[str, Node | None, Node | None]] = [("", before.root, after.root)]
    while pending:
        path, one, two = pending.pop()
        _require_known(one, two)
        if one is None or two is None:
            yield from _only_in_one(path, one, two)
            continue
        what = _differences(one, two, content_before, content_after)
        if what:
            yield FileChange(path, _member(path, one), _member(path, two), what)
        pending += _below(path, one, two)


def _require_known(*nodes: Node | None) -> None:
    for node in nodes:
        if node and (not node.is_known or (node.member and node.kind is Kind.HARD_LINK)):
            raise NeedsLowerLayerError


def _only_in_one(path: str, one: Node | None, two: Node | None) -> Iterator[FileChange]:
    node = one or two
    for at, found in walk_below(path, node) if node else ():
        _require_known(found)
        if found.is_open:
            raise NeedsLowerLayerError
        member = _member(at, found)
        yield FileChange(at, member if one else None, member if two else None)


def _below(path: str, one: Node, two: Node) -> list[tuple[str, Node | None, Node | None]]:
    """Return the children of either node, in reverse order."""
    if one.is_open != two.is_open:
        raise NeedsLowerLayerError
    first, second = one.children or {}, two.children or {}
    found = []
    for name in sorted({*first, *second}, reverse=True):
        left, right = _child(one, name), _child(two, name)
        if left or right:
            found.append((f"{path}/{name}" if path else name, left, right))
    return found


def _child(folder: Node, name: str) -> Node | None:
    child = (folder.children or {}).get(name)
    if child is None and folder.is_open:
        raise NeedsLowerLayerError
    return None if child is None or child.is_deleted else child


def _member(path: str, node: Node) -> Member:
    return node.member or Member(path, Kind.DIRECTORY)


def _differences(
    one: Node, two: Node, content_before: ContentOf, content_after: ContentOf
) -> tuple[str, ...]:
    before, after = _member("", one), _member("", two)
    if before is after:
        return ()
    if before.kind is not after.kind:
        return ("type",)
    is_file = before.kind is Kind.FILE
    differs = {
        "mode": before.mode != after.mode,
        "owner": (before.uid, before.gid) != (after.uid, after.gid),
        "target": before.target != after.target,
        "device": before.device != after.device,
        "attributes": dict(before.xattrs) != dict(after.xattrs),
        "content": before.size != after.size
        or (is_file and content_before(one) != content_after(two)),
    }
    return tuple(what for what, is_so in differs.items() if is_so)
