"""Files that survive a power failure: a temporary file is written, synced and renamed.

The directory is synced last. The order matters: if the rename reached the disk before the data,
a crash would leave an empty file, and without syncing the directory the rename could be lost.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO

from ghcrctl.disk import open_handles
from ghcrctl.disk.open_handles import clear_read_only, is_windows_refusal, retry_on_windows
from ghcrctl.disk.removal import discard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Errors of file systems that do not support the call, as opposed to errors of a failing disk.
_UNSUPPORTED = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS}
# Some file systems cannot sync a directory, and a directory may be writable but not readable.
_NOT_SYNCED = _UNSUPPORTED | {errno.EBADF, errno.EACCES, errno.EPERM}


def sync_file(file: IO[bytes] | IO[str]) -> None:
    """Sync the data of an open file to disk."""
    file.flush()
    _sync(file.fileno())


def sync_directory(path: Path) -> None:
    """Sync the entries of a directory to disk, where the system supports it."""
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
    """Yield a new file that is synced at the end, or removed if anything fails.

    Args:
        path: the file; it must not exist.
        mode: its permissions, before the umask.
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
    """Close a file whose buffered data may fail to be written again."""
    with suppress(OSError):
        file.close()


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file durably: a crash leaves either the old or the new file intact.

    Args:
        path: the file.
        data: the new content.
        mode: the permissions, before the umask.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with durable_file(aside, mode) as file:
        file.write(data)
    publish(aside, path)


def publish(aside: Path, path: Path) -> None:
    """Rename a synced file to its final name, durably; remove it if that fails."""
    try:
        move(aside, path)
    except BaseException:
        discard(aside)
        raise
    sync_directory(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename a file or directory, replacing an existing file.

    The new name is only durable after `sync_directory`.
    """
    retry_on_windows(lambda: _replace(source, target))


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
        mode: its permissions, before the umask; parents get the default.
    """
    if path.is_dir():
        return
    if path.parent != path:
        make_directories(path.parent)
    path.mkdir(mode, exist_ok=True)
    sync_directory(path.parent)


class AppendedFile:
    """A file that is only appended to, with each addition synced to disk.

    Args:
        path: the file; it is created if it does not exist.
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
        """Append bytes and sync them; if that fails, nothing is appended."""
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
