"""Files that survive a power failure: a temporary file is written, synced and renamed.

The directory is synced last. The order matters: a rename that reaches the disk before the bytes
leaves an empty file under the final name, and a rename whose directory is not synced may be lost.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO

from ghcrctl.disk import open_handles
from ghcrctl.disk.open_handles import clear_read_only, is_windows_refusal, patiently
from ghcrctl.disk.removal import discard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Errors of a file system that does not support the call, as opposed to one that fails.
_UNSUPPORTED = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS}
# Some file systems cannot sync a directory, and a directory may be writable but not readable.
_NOT_SYNCED = _UNSUPPORTED | {errno.EBADF, errno.EACCES, errno.EPERM}


def sync_file(file: IO[bytes] | IO[str]) -> None:
    """Wait until the disk has all bytes of an open file."""
    file.flush()
    _sync(file.fileno())


def sync_directory(path: Path) -> None:
    """Wait until the disk has the names in a directory, where the system can do that."""
    if open_handles.IS_WINDOWS:
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        _sync(handle)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
    finally:
        os.close(handle)


def _sync(handle: int) -> None:
    """Sync a file or directory; on macOS, also flush the drive's cache.

    Source: fsync(2) of macOS, which recommends F_FULLFSYNC. Network file systems lack it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        full = None
    else:
        full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(handle, full)  # type: ignore[attr-defined, unused-ignore] # not Windows
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        else:
            return
    os.fsync(handle)


@contextmanager
def durable_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a new file, which is synced at the end and removed if anything fails.

    Args:
        path: the file; it must not exist.
        mode: its permissions, less the umask.
    """
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            yield file
            sync_file(file)
        except BaseException:
            _abandon(file)
            discard(path)
            raise


def _abandon(file: BinaryIO) -> None:
    """Close a file whose buffered bytes the disk may refuse again."""
    with suppress(OSError):
        file.close()


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file durably: a crash leaves either the old or the new file intact.

    Args:
        path: the file.
        data: its new content.
        mode: its permissions, less the umask.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with durable_file(aside, mode) as file:
        file.write(data)
    publish(aside, path)


def publish(aside: Path, path: Path) -> None:
    """Rename a synced file to its final name, durably; remove the file if that fails."""
    try:
        move(aside, path)
    except BaseException:
        discard(aside)
        raise
    sync_directory(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename a file or directory, in place of a file that has the name.

    The name itself is not durable before `sync_directory`.
    """
    patiently(lambda: _replace(source, target))


def _replace(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if not (is_windows_refusal(error) and clear_read_only(target)):
            raise
        source.replace(target)


def make_directories(path: Path, mode: int = 0o777) -> None:
    """Create a directory and its missing parents, durably.

    Args:
        path: the directory; it may exist.
        mode: its permissions, less the umask; parents get the default.
    """
    if path.is_dir():
        return
    if path.parent != path:
        make_directories(path.parent)
    path.mkdir(mode, exist_ok=True)
    sync_directory(path.parent)


class AppendedFile:
    """A file that grows, and whose every addition is on disk before the next action.

    Args:
        path: the file; it is created if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        try:
            sync_directory(path.parent)
        except BaseException:
            self._file.close()
            raise

    @property
    def size(self) -> int:
        """The size of the file (bytes)."""
        return os.fstat(self._file.fileno()).st_size

    def append(self, data: bytes) -> None:
        """Append bytes and sync them; if that fails, append none."""
        before = self.size
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
            sync_file(self._file)
        except BaseException:
            with suppress(OSError):
                self._file.truncate(before)
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()
