"""Members of layers: what a tar archive says of one file.

What belongs here: the noun, and how its names are read. What does not: the bytes that say it
(`headers`), and what whiteouts mean (`whiteouts`).
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Bytes of a path that Linux takes (PATH_MAX); no file system has a longer one.
MAX_PATH = 4096
_OVERLAY = ("trusted.overlay.", "user.overlay.")
_NO_ATTRIBUTES: Mapping[str, bytes] = {}


class Kind(Enum):
    """What a member is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"
    CHARACTER_DEVICE = "character device"
    BLOCK_DEVICE = "block device"
    FIFO = "fifo"


_TYPE_BITS = {
    Kind.FILE: stat.S_IFREG,
    Kind.HARD_LINK: stat.S_IFREG,
    Kind.DIRECTORY: stat.S_IFDIR,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.CHARACTER_DEVICE: stat.S_IFCHR,
    Kind.BLOCK_DEVICE: stat.S_IFBLK,
    Kind.FIFO: stat.S_IFIFO,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a layer.

    Args:
        path: where it is, from the root and without a slash at either end; empty for the root.
            Bytes that are no UTF-8 are surrogates, as `os.fsdecode` makes them.
        kind: what it is.
        number: its position in the archive, from 0.
        mode: permissions with the setuid, setgid and sticky bits.
        uid: owner.
        gid: group.
        size: bytes of a file's content, holes included.
        mtime: nanoseconds since 1970.
        target: where a symbolic link points, as it is; of a hard link the path of the other file.
        device: major and minor number.
        xattrs: extended attributes by their full names (``user.x``).
    """

    path: str
    kind: Kind
    number: int = 0
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    target: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=lambda: _NO_ATTRIBUTES, hash=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def permissions(self) -> str:
        """The kind and mode as ``ls -l`` shows them: ``-rwxr-xr-x``."""
        return stat.filemode(_TYPE_BITS[self.kind] | self.mode)


def is_overlay_attribute(name: str) -> bool:
    """Return whether overlay file systems hide files by an extended attribute.

    Engines keep layers in such file systems, where an attribute of an image could make a directory
    opaque or redirect it to another one. These attributes are valid in one file system only, so
    they are neither set on files nor written to archives. Stored layers keep their bytes.
    """
    return name.startswith(_OVERLAY)


def clean_path(name: str) -> str:
    """Read a path of an archive: from the root, without ``.``, ``..`` and doubled slashes.

    Raises:
        IntegrityError: it leads out of the root, is too long, or is no path at all.
    """
    if "\0" in name or len(name) > MAX_PATH:
        raise IntegrityError(f"the archive has a member with an impossible name: {name[:60]!r}")
    if "/." not in f"/{name}" and "//" not in name:
        return name.strip("/")
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise IntegrityError(f"the archive has a path that leads out of the root: {name}")
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
