"""Two trees beside each other: which files differ, and in what.

What belongs here: comparing what layers say of files. What does not: reading them (`walking`), and
words for people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import walk_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.layers.merged_tree import Node, Tree

# Gives the digest of a node's content.
ContentOf = Callable[["Node"], bytes]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs.

    Args:
        path: from the root, without a slash in front.
        before: what it was; ``None`` where it is new.
        after: what it is; ``None`` where it is gone.
        what: the ways in which it differs, where it is in both.
    """

    path: str
    before: Member | None
    after: Member | None
    what: tuple[str, ...] = ()


class UnsettledError(Exception):
    """Only lower layers tell whether a file differs."""


def compare(
    before: Tree, after: Tree, content_before: ContentOf, content_after: ContentOf
) -> Iterator[FileChange]:
    """Yield the files that differ, sorted. Times of files are not compared: each build has others.

    Args:
        before: one tree.
        after: the other; where both are open, they lie on the same lower layers.
        content_before: gives the digest of a file of the one.
        content_after: gives the digest of a file of the other.

    Raises:
        UnsettledError: the trees are open, and lower layers must be known.
    """
    pending: list[tuple[str, Node | None, Node | None]] = [("", before.root, after.root)]
    while pending:
        path, one, two = pending.pop()
        _require_settled(one, two)
        if one is None or two is None:
            yield from _on_one_side(path, one, two)
            continue
        what = _ways(one, two, content_before, content_after)
        if what:
            yield FileChange(path, _member(path, one), _member(path, two), what)
        pending += _below(path, one, two)


def _require_settled(*nodes: Node | None) -> None:
    for node in nodes:
        if node and (not node.is_settled or (node.member and node.kind is Kind.HARD_LINK)):
            raise UnsettledError


def _on_one_side(path: str, one: Node | None, two: Node | None) -> Iterator[FileChange]:
    node = one or two
    for at, found in walk_below(path, node) if node else ():
        _require_settled(found)
        if found.is_open:
            raise UnsettledError
        member = _member(at, found)
        yield FileChange(at, member if one else None, member if two else None)


def _below(path: str, one: Node, two: Node) -> list[tuple[str, Node | None, Node | None]]:
    """Return what is in either of two, last name first."""
    if one.is_open != two.is_open:
        raise UnsettledError
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
        raise UnsettledError
    return None if child is None or child.is_gone else child


def _member(path: str, node: Node) -> Member:
    return node.member or Member(path, Kind.DIRECTORY)


def _ways(
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
