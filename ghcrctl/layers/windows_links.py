r"""Conversion of symbolic links between images and Windows.

Images use slashes. Windows resolves a link only if its target has backslashes and the link was
created with the right kind, file or directory.
"""

from __future__ import annotations

import ntpath
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError, NotFoundError, UnsupportedError
from ghcrctl.layers.layered_view import Found, follow
from ghcrctl.layers.limits import Limits
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.windows_names import is_invalid_on_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.layers.members import Member

# Prefixes of absolute paths, as used by programs and by the kernel.
_FULL = ("\\\\?\\", "\\??\\")
_UNC = "UNC\\"


class LinkKinds:
    """A record of an image's files that resolves symbolic links."""

    def __init__(self) -> None:
        self._tree = Tree(Limits(members=sys.maxsize))

    def add(self, path: str, member: Member) -> None:
        """Record a file of the image."""
        self._tree.apply(0, [replace(member, path=path)])

    def is_directory(self, path: str, target: str) -> bool:
        """Return whether a symbolic link points to a directory in a container.

        Args:
            path: path of the link.
            target: target of the link, with slashes.
        """
        folder = "" if target.startswith("/") else path.rpartition("/")[0]
        try:
            found = follow(self._tree, f"{folder}/{target}")
        except (NotFoundError, IntegrityError):
            # A trailing slash or dots mean a directory, even if the target does not exist.
            return target.rpartition("/")[2] in {"", ".", ".."}
        return isinstance(found, Found) and found.node.children is not None


def disk_target(target: str) -> str | None:
    r"""Return the target of a link for Windows, or ``None`` if Windows does not allow it.

    Attack: ``//server/share`` is a local directory in an image, but a remote host on Windows, which
    sends the user's credentials there. Decision: repeated slashes become one backslash.
    """
    names = [name for name in target.split("/") if name not in {"", "."}]
    if any(name != ".." and is_invalid_on_windows(name) for name in names):
        return None
    text = "\\".join(names)
    return f"\\{text}" if target.startswith("/") else text or "."


def image_target(target: str, path: str, roots: Sequence[str]) -> str:
    r"""Return the target of a link on Windows for an image, with slashes.

    A full path (``C:\tree\etc``) inside the directory is replaced by a relative one.

    Args:
        target: target of the link on disk.
        path: path of the link in the layer, with slashes.
        roots: full paths of the directory that becomes the layer; Windows has short names
            (`RUNNER~1`) as well as long ones.

    Raises:
        UnsupportedError: the target is a full path outside the directory.
    """
    plain = _without_prefix(target)
    drive, rest = ntpath.splitdrive(plain)
    if not drive and plain == target:
        return plain.replace("\\", "/")
    is_full = rest.startswith(("\\", "/"))
    root = next((each for each in roots if is_full and _is_inside(plain, each)), None)
    if root is None:
        raise UnsupportedError(
            f"cannot add {path} to a layer: the link points to {plain}, outside {roots[0]}",
            hint="replace the link with a copy of its target, or with a relative link",
        )
    folder = ntpath.join(_without_prefix(root), ntpath.dirname(path))
    return ntpath.relpath(plain, folder).replace("\\", "/")


def _without_prefix(path: str) -> str:
    for prefix in _FULL:
        if path.startswith(prefix):
            rest = path[len(prefix) :]
            return f"\\\\{rest[len(_UNC) :]}" if rest.upper().startswith(_UNC) else rest
    return path


def _is_inside(path: str, root: str) -> bool:
    inner, outer = (ntpath.normcase(ntpath.normpath(p)) for p in (path, _without_prefix(root)))
    return inner == outer or inner.startswith(outer.rstrip("\\") + "\\")
