"""The merged file tree of multiple layers, as a container sees it.

Layers are applied as in docker and containerd: paths are resolved in the tree of the lower layers,
so ``lib/x`` becomes ``usr/lib/x`` if a lower layer has a link ``lib`` to ``usr/lib``.

Spec: OCI image spec 1.1, layer.md, "Applying Changesets".
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError, RefusedError
from ghcrctl.layers.limits import Limits
from ghcrctl.layers.members import Kind
from ghcrctl.layers.whiteouts import is_aufs_metadata, whiteout_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.layers.members import Member

# The maximum number of symbolic links in a path, as in Linux.
MAX_LINKS = 40


class Node:
    """A file in the tree; hard links share a node.

    Attributes:
        member: metadata of the file; ``None`` for a directory without an entry.
        layer: number of its layer; 0 is the base.
        children: nodes of a directory by name.
        is_open: whether lower layers that were not applied may have more files in this directory.
        is_known: whether the kind is known; a directory without an entry may be a link in a lower
            layer.
        is_deleted: whether the file was deleted by a whiteout.
    """

    __slots__ = ("children", "is_deleted", "is_known", "is_open", "layer", "member")

    def __init__(self, member: Member | None, layer: int, *, is_open: bool = False) -> None:
        self.member = member
        self.layer = layer
        self.children: dict[str, Node] | None = None
        self.is_open = is_open
        self.is_known = True
        self.is_deleted = False
        if member is None or member.kind is Kind.DIRECTORY:
            self.children = {}

    @property
    def kind(self) -> Kind:
        """The kind of the file; a hard link only if its target is in a layer not read yet."""
        return self.member.kind if self.member else Kind.DIRECTORY


class Tree:
    """The merged files of multiple layers.

    Args:
        limits: limit of the number of files.
        is_open: whether there are lower layers that are not applied.
    """

    def __init__(self, limits: Limits | None = None, *, is_open: bool = False) -> None:
        self.root = Node(None, 0, is_open=is_open)
        self._left = (limits or Limits()).members

    def apply(self, layer: int, members: Sequence[Member]) -> None:
        """Apply a layer on top of the tree.

        Whiteouts only delete files of lower layers, regardless of the order of members.

        Args:
            layer: number of the layer.
            members: members of the layer, in order.

        Raises:
            IntegrityError: the members are inconsistent.
            RefusedError: there are too many files.
        """
        for member in members:
            if is_aufs_metadata(member):
                continue
            whiteout = whiteout_of(member)
            if whiteout is None:
                self._add(layer, member)
                continue
            with suppress(_NoDirectoryError):
                if whiteout.is_opaque:
                    self._clear(layer, self._directory(whiteout.path))
                else:
                    self._remove(layer, whiteout.path)

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Yield all paths and files, sorted, directories before their files."""
        yield from walk_below("", self.root)

    def _clear(self, layer: int, folder: Node) -> None:
        """Delete the files of lower layers in a directory."""
        below = list(_links_below(folder))
        for parent, name, node in reversed(below):
            node.is_open = False
            if node.layer != layer and not node.children:
                del parent[name]
        folder.is_open = False

    def _remove(self, layer: int, path: str) -> None:
        folder, name = self._parent(path)
        children = folder.children
        assert children is not None  # noqa: S101 a directory
        node = children.get(name)
        if node and node.children is not None:
            self._clear(layer, node)
        if node and (node.layer == layer or node.children):
            return
        children.pop(name, None)
        if folder.is_open:
            gone = Node(None, 0)
            gone.is_deleted = True
            children[name] = gone

    def _add(self, layer: int, member: Member) -> None:
        if not member.path:
            self._set_root(layer, member)
            return
        folder, name = self._parent(member.path)
        children = folder.children
        assert children is not None  # noqa: S101 a directory
        if member.kind is Kind.HARD_LINK:
            children[name] = self._linked(layer, member)
            return
        before = children.get(name)
        if member.kind is Kind.DIRECTORY and before is not None and before.children is not None:
            # If a lower layer has a link instead, files below the link are not in this directory.
            is_empty = all(child.is_deleted for child in before.children.values())
            before.is_known |= is_empty or not before.is_open
            before.member, before.layer, before.is_deleted = member, layer, False
            return
        self._count()
        is_open = before is None and folder.is_open and member.kind is Kind.DIRECTORY
        children[name] = Node(member, layer, is_open=is_open)

    def _set_root(self, layer: int, member: Member) -> None:
        if member.kind is not Kind.DIRECTORY:
            raise IntegrityError("the root of the layer is not a directory")
        self.root.member, self.root.layer = member, layer

    def _linked(self, layer: int, member: Member) -> Node:
        """Return the target of a hard link, or a new node if the target needs a lower layer."""
        folder, name = self._parent(member.target)
        found = folder.children.get(name) if folder.children is not None else None
        if (found is None or not found.is_known) and folder.is_open:
            return Node(member, layer)
        if found is None or found.is_deleted or found.children is not None:
            what = "a directory" if found and not found.is_deleted else "missing"
            raise IntegrityError(
                f"the layer has a hard link {member.path} to {member.target}, which is {what}"
            )
        return found

    def _parent(self, path: str) -> tuple[Node, str]:
        folder, _, name = path.rpartition("/")
        return self._directory(folder), name

    def _directory(self, path: str) -> Node:
        """Return a directory, following links within the root and creating missing directories."""
        passed = [self.root]
        ahead = path.split("/")[::-1]
        links = 0
        while ahead:
            name = ahead.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                del passed[max(1, len(passed) - 1) :]
                continue
            node = self._step(passed[-1], name)
            if node.member and node.kind is Kind.SYMLINK and links < MAX_LINKS:
                links += 1
                target = node.member.target
                del passed[1 if target.startswith("/") else len(passed) :]
                ahead += target.split("/")[::-1]
            elif node.children is None:
                raise _NoDirectoryError(
                    f"the layer has files in {path}, but {name} is not a directory"
                )
            else:
                passed.append(node)
        return passed[-1]

    def _step(self, folder: Node, name: str) -> Node:
        assert folder.children is not None  # noqa: S101 a directory
        node = folder.children.get(name)
        if node is not None and not node.is_deleted:
            return node
        self._count()
        made = Node(None, 0, is_open=folder.is_open and node is None)
        made.is_known = not made.is_open
        folder.children[name] = made
        return made

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise RefusedError("the layers have too many files and directories")


class _NoDirectoryError(IntegrityError):
    """A parent of a path is not a directory."""


def _links_below(folder: Node) -> Iterator[tuple[dict[str, Node], str, Node]]:
    """Yield all descendants of a directory, each with its siblings and its name."""
    pending = [folder]
    while pending:
        children = pending.pop().children or {}
        for name, node in children.items():
            yield children, name, node
            if node.children:
                pending.append(node)


def walk_below(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield a file and its descendants with their paths, sorted by name at each level."""
    pending = [(path, node)]
    while pending:
        at, found = pending.pop()
        yield at, found
        if found.children:
            below = sorted(found.children.items(), reverse=True)
            pending += [
                (f"{at}/{name}" if at else name, child)
                for name, child in below
                if not child.is_deleted
            ]
