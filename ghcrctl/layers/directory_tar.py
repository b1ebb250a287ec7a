"""A directory as a reproducible tar archive."""

from __future__ import annotations

import os
import stat
import sys
import tarfile
from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError
from ghcrctl.layers.tar import BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

_CHUNK = 1024 * 1024
# Windows has no such permissions. Like BuildKit, make every file executable and only writable by
# its owner.
_EXECUTABLE = 0o111
_MAX_MODE_ON_WINDOWS = 0o755
_LINK_MODE = 0o777
# The reparse tag of a junction, an older kind of directory link on Windows.
_JUNCTION = 0xA0000003


class TreeStream:
    """A readable stream of a directory as a tar archive.

    Names are sorted, owners are 0, and modification times are whole seconds, limited by ``latest``.

    Args:
        root: the directory.
        prefix: path of its content in the archive, without slashes at the ends; empty for the root.
        latest: latest modification time, as SOURCE_DATE_EPOCH (Unix seconds); ``None`` for no
            limit.
        on_windows: whether the directory is on Windows.
    """

    def __init__(
        self,
        root: Path,
        *,
        prefix: str = "",
        latest: int | None = None,
        on_windows: bool = os.name == "nt",
    ) -> None:
        self._root = root
        self._prefix = prefix
        self._latest = latest
        self._on_windows = on_windows
        self._seen: dict[tuple[int, int], str] = {}
        self._blocks = self._archive(root, prefix)
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end.

        Raises:
            OSError: a file cannot be read, or it was truncated while it was read.
        """
        if not self._left:
            self._left = next(self._blocks, b"")
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk

    def close(self) -> None:
        """Stop reading files."""
        self._blocks.close()

    def _archive(self, root: Path, prefix: str) -> Generator[bytes, None, None]:
        parts = prefix.split("/") if prefix else []
        for depth in range(1, len(parts) + 1):
            yield self._header(self._member("/".join(parts[:depth]), root.stat(), root))
        yield from self._directory(root, prefix)
        yield b"\0" * (2 * BLOCK_SIZE)

    def _directory(self, folder: Path, prefix: str) -> Iterator[bytes]:
        for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
            name = f"{prefix}/{entry.name}" if prefix else entry.name
            path = folder / entry.name
            # On Windows, the directory entry has no information about hard links.
            found = path.lstat()
            if stat.S_ISSOCK(found.st_mode):
                continue
            member = self._member(name, found, path)
            yield self._header(member)
            if member.isreg():
                yield from _content(path, member.size)
            elif member.isdir():
                yield from self._directory(path, name)

    def _member(self, name: str, found: os.stat_result, path: Path) -> tarfile.TarInfo:
        member = tarfile.TarInfo(name)
        member.mode = self._mode(found)
        mtime = int(found.st_mtime)
        member.mtime = mtime if self._latest is None else min(mtime, self._latest)
        member.type = _type_of(found)
        if member.issym():
            member.linkname = self._target(path, name)
        elif member.ischr() or member.isblk():
            member.devmajor, member.devminor = _device(found)
        elif member.isreg():
            first = self._seen.setdefault((found.st_dev, found.st_ino), name)
            if found.st_nlink > 1 and first != name:
                member.type, member.linkname = tarfile.LNKTYPE, first
            else:
                member.size = found.st_size
        return member

    def _mode(self, found: os.stat_result) -> int:
        if not self._on_windows:
            return stat.S_IMODE(found.st_mode)
        if _type_of(found) == tarfile.SYMTYPE:
            return _LINK_MODE
        return (stat.S_IMODE(found.st_mode) | _EXECUTABLE) & _MAX_MODE_ON_WINDOWS

    def _target(self, path: Path, name: str) -> str:
        target = os.readlink(path)  # noqa: PTH115 a path object would change the text
        if not self._on_windows:
            return target
        from ghcrctl.layers.windows_links import image_target

        roots = (os.path.abspath(self._root), os.path.realpath(self._root))  # noqa: PTH100 links stay
        inside = name.removeprefix(f"{self._prefix}/") if self._prefix else name
        return image_target(target, inside, roots)

    def _header(self, member: tarfile.TarInfo) -> bytes:
        try:
            return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        except UnicodeEncodeError:
            # Windows allows unpaired UTF-16 surrogates in names.
            raise UnsupportedError(
                f"cannot add {member.name!a} to a layer: the name is not valid Unicode"
            ) from None


_TYPES = {
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
}


def _type_of(found: os.stat_result) -> bytes:
    if getattr(found, "st_reparse_tag", 0) == _JUNCTION:
        return tarfile.SYMTYPE
    return _TYPES.get(stat.S_IFMT(found.st_mode), tarfile.REGTYPE)


def _device(found: os.stat_result) -> tuple[int, int]:
    if sys.platform == "win32":
        return (0, 0)
    else:  # noqa: RET505 the type checker knows the platform
        return os.major(found.st_rdev), os.minor(found.st_rdev)


def _content(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left:
            chunk = file.read(min(left, _CHUNK))
            if not chunk:
                raise OSError(0, f"{path} was truncated while it was read")
            left -= len(chunk)
            yield chunk
    if size % BLOCK_SIZE:
        yield b"\0" * (BLOCK_SIZE - size % BLOCK_SIZE)
