"""A view of an image's files that reads as few layers as possible, from the top down."""

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
    """A path does not exist in the image; the caller adds the name of the image."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found; ``path`` is its real path without a leading slash."""

    path: str
    node: Node


@dataclass(frozen=True, slots=True)
class NeedsLowerLayer:
    """A path that needs a lower layer to be resolved.

    Args:
        path: the path.
        inside: whether the content of the directory is needed, not its kind.
    """

    path: str
    inside: bool = False


class LayeredView:
    """The merged files of all layers, which are read on demand.

    Args:
        count: number of layers.
        read: returns the members of a layer by its number; 0 is the base.
        limits: limits of files and sizes.
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
        """Return the file at a path; symbolic links are followed, including the last one.

        Raises:
            NotFoundError: the path does not exist.
            IntegrityError: a layer is damaged.
        """
        while True:
            found = follow(self._tree, path)
            if isinstance(found, Found):
                return found
            self._read_lower_layers(found)

    def find_with_entries(self, path: str, *, everything: bool = False) -> Found:
        """Return the file at a path; for a directory, with all of its entries.

        Args:
            path: path of the file.
            everything: whether subdirectories must be complete as well.

        Raises:
            NotFoundError: the path does not exist.
        """
        while True:
            found = self.find(path)
            unknown = _unknown_below(found, everything=everything)
            if unknown is None:
                return found
            self._read_lower_layers(unknown)

    def _read_lower_layers(self, needed: NeedsLowerLayer) -> None:
        """Read lower layers until one has information about a path."""
        before = self._lowest
        while self._lowest:
            self._lowest -= 1
            self._layers[self._lowest] = self._read(self._lowest)
            if _resolves(self._layers[self._lowest], needed):
                break
        assert self._lowest < before  # noqa: S101 with all layers, no lower layer is needed
        self._tree = Tree(self._limits, is_open=self._lowest > 0)
        for number in sorted(self._layers):
            self._tree.apply(number, self._layers[number])


def follow(tree: Tree, path: str) -> Found | NeedsLowerLayer:
    """Resolve a path in a tree, as in a container with this root.

    Raises:
        NotFoundError: the path does not exist.
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
            raise _not_found(path)
        if node is None or not node.is_known:
            return NeedsLowerLayer(here)
        if node.is_deleted:
            raise _not_found(path)
        if node.member and node.kind is Kind.HARD_LINK:
            return NeedsLowerLayer(node.member.target)
        if node.member and node.kind is Kind.SYMLINK:
            links += 1
            if links > MAX_LINKS:
                raise NoSuchPathError(f"path `{path}` has too many symbolic links")
            target = node.member.target
            del passed[1 if target.startswith("/") else len(passed) :]
            ahead += target.split("/")[::-1]
        else:
            passed.append((here, node))
    return Found(*passed[-1])


def _require_directory(at: tuple[str, Node], path: str) -> None:
    if at[1].children is None:
        raise NoSuchPathError(f"path `{path}` not found: `/{at[0]}` is not a directory")


def _not_found(path: str) -> NoSuchPathError:
    return NoSuchPathError(f"path `{path}` not found in the image")


def _unknown_below(found: Found, *, everything: bool) -> NeedsLowerLayer | None:
    """Return a path in a directory that needs a lower layer; ``None`` if there is none."""
    pending = [found]
    while pending:
        at = pending.pop()
        if not at.node.is_known:
            return NeedsLowerLayer(at.path)
        if at.node.is_open:
            return NeedsLowerLayer(at.path, inside=True)
        for name, node in (at.node.children or {}).items():
            path = f"{at.path}/{name}" if at.path else name
            if node.member and node.kind is Kind.HARD_LINK:
                return NeedsLowerLayer(node.member.target)
            if not node.is_known:
                return NeedsLowerLayer(path)
            if everything and node.children is not None and not node.is_deleted:
                pending.append(Found(path, node))
    return None


def _resolves(members: Sequence[Member], needed: NeedsLowerLayer) -> bool:
    """Return whether a layer contains a path, hides it, or replaces one of its parents."""
    parts = needed.path.split("/")
    above = {"/".join(parts[:end]) for end in range(len(parts))}
    return any(_member_resolves(member, needed, above) for member in members)


def _member_resolves(member: Member, needed: NeedsLowerLayer, above: set[str]) -> bool:
    whiteout = whiteout_of(member)
    if whiteout:
        return whiteout.path == needed.path or whiteout.path in above
    if member.kind is not Kind.DIRECTORY:
        return member.path == needed.path or member.path in above
    return member.path == needed.path and not needed.inside
