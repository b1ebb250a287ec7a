"""Looking into an image's files with as few layers as the question needs.

What belongs here: reading layers from the top down, and following paths as a container would. What
does not: putting layers on each other (`merging`), reading one (`walking`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import NotFoundError
from ghcrctl.layers.members import Kind
from ghcrctl.layers.merged_tree import MAX_LINKS, Node, Tree
from ghcrctl.layers.whiteouts import whiteout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.layers.limits import Limits
    from ghcrctl.layers.members import Member


class NoSuchPathError(NotFoundError):
    """The image has nothing at a path. What the image is called, only whoever looks knows."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to. ``path``: where that really is, from the root and without a slash."""

    path: str
    node: Node


@dataclass(frozen=True, slots=True)
class Unsettled:
    """That only lower layers tell.

    Args:
        path: what must be known of.
        inside: whether what else is in it must be known, not what it is.
    """

    path: str
    inside: bool = False


class View:
    """The files that all layers make together.

    Args:
        count: how many layers there are.
        read: reads one layer, base first from 0.
        limits: how many files there may be.
    """

    def __init__(
        self, count: int, read: Callable[[int], Sequence[Member]], limits: Limits | None = None
    ) -> None:
        self._read = read
        self._limits = limits
        self._lowest = count
        self._layers: dict[int, Sequence[Member]] = {}
        self._tree = Tree(limits, is_open=count > 0)

    def find(self, path: str) -> Found:
        """Follow a path from the root; links are followed, the last one too.

        Raises:
            NotFoundError: there is nothing.
            IntegrityError: a layer that had to be read is damaged.
        """
        while True:
            found = follow(self._tree, path)
            if isinstance(found, Found):
                return found
            self._go_on(found)

    def open_up(self, path: str, *, everything: bool = False) -> Found:
        """Follow a path, and know all that is in the directory that it leads to.

        Args:
            path: of any file.
            everything: whether all levels below matter.

        Raises:
            NotFoundError: there is nothing.
        """
        while True:
            found = self.find(path)
            unknown = _unknown_below(found, everything=everything)
            if unknown is None:
                return found
            self._go_on(unknown)

    def _go_on(self, question: Unsettled) -> None:
        """Read lower layers until one may have the answer."""
        before = self._lowest
        while self._lowest:
            self._lowest -= 1
            self._layers[self._lowest] = self._read(self._lowest)
            if _answers(self._layers[self._lowest], question):
                break
        assert self._lowest < before  # noqa: S101 with all layers nothing is unsettled
        self._tree = Tree(self._limits, is_open=self._lowest > 0)
        for number in sorted(self._layers):
            self._tree.apply(number, self._layers[number])


def follow(tree: Tree, path: str) -> Found | Unsettled:
    """Follow a path through a tree, as a container would whose root it is.

    Raises:
        NotFoundError: there is nothing.
    """
    passed: list[tuple[str, Node]] = [("", tree.root)]
    ahead = path.split("/")[::-1]
    links = 0
    while ahead:
        name = ahead.pop()
        if name in {"", "."}:
            _require_directory(passed[-1], path)
            continue
        if name == "..":
            _require_directory(passed[-1], path)
            del passed[max(1, len(passed) - 1) :]
            continue
        at, folder = passed[-1]
        _require_directory(passed[-1], path)
        here = f"{at}/{name}" if at else name
        node = (folder.children or {}).get(name)
        if node is None and not folder.is_open:
            raise _nothing(path)
        if node is None or not node.is_settled:
            return Unsettled(here)
        if node.is_gone:
            raise _nothing(path)
        if node.member and node.kind is Kind.HARD_LINK:
            return Unsettled(node.member.target)
        if node.member and node.kind is Kind.SYMLINK:
            links += 1
            if links > MAX_LINKS:
                raise NoSuchPathError(f"`{path}` leads through too many symbolic links")
            target = node.member.target
            del passed[1 if target.startswith("/") else len(passed) :]
            ahead += target.split("/")[::-1]
        else:
            passed.append((here, node))
    return Found(*passed[-1])


def _require_directory(at: tuple[str, Node], path: str) -> None:
    if at[1].children is None:
        raise NoSuchPathError(f"there is no `{path}` in the image: `/{at[0]}` is no directory")


def _nothing(path: str) -> NoSuchPathError:
    return NoSuchPathError(f"there is no `{path}` in the image")


def _unknown_below(found: Found, *, everything: bool) -> Unsettled | None:
    """Return a path whose content, or whose kind, only lower layers tell."""
    pending = [found]
    while pending:
        at = pending.pop()
        if not at.node.is_settled:
            return Unsettled(at.path)
        if at.node.is_open:
            return Unsettled(at.path, inside=True)
        for name, node in (at.node.children or {}).items():
            path = f"{at.path}/{name}" if at.path else name
            if node.member and node.kind is Kind.HARD_LINK:
                return Unsettled(node.member.target)
            if not node.is_settled:
                return Unsettled(path)
            if everything and node.children is not None and not node.is_gone:
                pending.append(Found(path, node))
    return None


def _answers(members: Sequence[Member], question: Unsettled) -> bool:
    """Tell whether a layer says what a path is: it has it, hides it, or has no way to it."""
    parts = question.path.split("/")
    above = {"/".join(parts[:end]) for end in range(len(parts))}
    return any(_is_answer(member, question, above) for member in members)


def _is_answer(member: Member, question: Unsettled, above: set[str]) -> bool:
    whiteout = whiteout_of(member)
    if whiteout:
        return whiteout.path == question.path or whiteout.path in above
    if member.kind is not Kind.DIRECTORY:
        return member.path == question.path or member.path in above
    return member.path == question.path and not question.inside
