"""Members of layers: the metadata of a file in a tar archive."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The limit of Linux (PATH_MAX), in bytes.
MAX_PATH = 4096
_OVERLAY = ("trusted.overlay.", "user.overlay.")
_NO_ATTRIBUTES: Mapping[str, bytes] = {}


class Kind(Enum):
    """The kind of a member."""

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
    """A member of a layer.

    Args:
        path: path from the root, without slashes at the ends; empty for the root. Bytes that are
            not UTF-8 are surrogates, as in `os.fsdecode`.
        kind: kind of the member.
        number: position in the archive, counted from 0.
        mode: permissions with the setuid, setgid and sticky bits.
        uid: user ID of the owner.
        gid: group ID.
        size: size of a file, including holes (bytes).
        mtime: modification time (Unix nanoseconds).
        target: target of a symbolic link, unchanged; for a hard link, the path of the other file.
        device: major and minor number.
        xattrs: extended attributes by full name (``user.x``).
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
        """The last component of the path."""
        return self.path.rpartition("/")[2]

    @property
    def permissions(self) -> str:
        """The kind and mode as shown by ``ls -l``, such as ``-rwxr-xr-x``."""
        return stat.filemode(_TYPE_BITS[self.kind] | self.mode)


def is_overlay_attribute(name: str) -> bool:
    """Return whether an extended attribute is one of overlay file systems.

    Attack: engines keep layers in overlay file systems, where such an attribute of an image could
    make a directory opaque or redirect it. Decision: neither set these attributes on files nor
    write them to archives. Exception: stored layers are never changed.
    """
    return name.startswith(_OVERLAY)


def clean_path(name: str) -> str:
    """Return a path in an archive without ``.``, ``..`` and repeated slashes.

    Raises:
        IntegrityError: the path is invalid, too long or outside the root.
    """
    if "\0" in name or len(name) > MAX_PATH:
        raise IntegrityError(f"the archive has a member with an invalid name: {name[:60]!r}")
    if "/." not in f"/{name}" and "//" not in name:
        return name.strip("/")
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise IntegrityError(f"the archive has a path outside the root: {name}")
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
