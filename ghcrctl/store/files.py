"""Files that are there whole or not at all, and disk errors in words.

What belongs here: writing aside, syncing, renaming, and turning `OSError` into our errors.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import NoSpaceError, ResourcesExhaustedError, StoreError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Windows neither replaces nor removes a file that a process has open; those who read have theirs
# open for a moment.
_IS_WINDOWS = os.name == "nt"
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
# Memory, open files of the process and of the system, and processes.
_SCARCE = {errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


@contextmanager
def disk_errors(what: str, *, in_store: bool = False) -> Iterator[None]:
    """Turn the disk's errors into ours.

    Args:
        what: what is being done, for the message: ``write the image store at /data``.
        in_store: whether it is done in the image store, which may be elsewhere.

    Raises:
        NoSpaceError: the disk or a quota is full.
        StoreReadOnlyError: there is no permission, or the disk is read-only.
        ResourcesExhaustedError: the system has no memory or no open file left.
        StoreError: anything else the disk says.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise NoSpaceError(
                f"cannot {what}: {reason}",
                hint="free some space: `ghcrctl df` shows what images take, `ghcrctl prune` "
                "removes old ones",
            ) from error
        if error.errno in _FORBIDDEN:
            raise StoreReadOnlyError(
                f"cannot {what}: {reason}",
                hint="check the permissions, or choose another place" + " with --store" * in_store,
            ) from error
        kind = ResourcesExhaustedError if error.errno in _SCARCE else StoreError
        raise kind(f"cannot {what}: {reason}") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file by another, durably: after a crash there is the old or the new one, whole."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        publish(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def publish(aside: Path, path: Path) -> None:
    """Move a synced file to its final name, durably."""
    take_place(aside, path)
    sync_directory(path.parent)


def take_place(aside: Path, path: Path) -> None:
    """Give a file the name of another, at once; on Windows as soon as nobody has that one open."""
    _patiently(lambda: aside.replace(path))


def remove(path: Path) -> None:
    """Remove a file that may be gone already; on Windows as soon as nobody has it open."""
    _patiently(lambda: path.unlink(missing_ok=True))


def _patiently(act: Callable[[], object]) -> None:
    for pause in _PAUSES if _IS_WINDOWS else ():
        try:
            act()
        except PermissionError:
            time.sleep(pause)
        else:
            return
    act()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
