"""Temporary files and directories, with cleanup of those left by killed processes.

A name ends with the process ID and a random part, and the process holds a lock on the file or
directory. A path is abandoned if no process has the ID and the lock is free. Both are needed: the
ID may belong to another container, and the lock is only acquired shortly after creation.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from fcntl import (  # type: ignore[attr-defined, unused-ignore] # not on Windows
        LOCK_EX,
        LOCK_NB,
        flock,
    )
except ImportError:  # Windows
    _HAS_LOCKS = False
else:
    _HAS_LOCKS = True

PREFIX = "ghcrctl-"
# In a shared directory, the name alone does not identify the owner.
_MARKER = ".ghcrctl"
_FILE = re.compile(r".+\.(?P<process>[1-9][0-9]{0,9})\.[0-9a-f]{8}\Z", re.DOTALL)
_DIRECTORY = re.compile(rf"{PREFIX}(?P<process>[1-9][0-9]{{0,9}})-[0-9a-z_]{{8}}\Z")
_LONGEST_NAME = 50
_LOCKLESS_SECONDS = 7 * 24 * 3600.0


def scratch_name(stem: str) -> str:
    """Return a new name for a temporary file of this process."""
    return f"{stem}.{os.getpid()}.{os.urandom(4).hex()}"


def scratch_beside(target: Path) -> Path:
    """Return a new path next to an output; also remove files left by killed processes."""
    stem = f".{target.name[:_LONGEST_NAME]}"
    remove_abandoned(target.parent, f"{stem}.*")
    return target.with_name(scratch_name(stem))


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Yield a new temporary directory, removed at the end; also remove abandoned ones."""
    home = Path(tempfile.gettempdir())
    remove_abandoned(home, f"{PREFIX}*")
    # After a failure, a thread may still be writing to it.
    with (
        tempfile.TemporaryDirectory(
            prefix=f"{PREFIX}{os.getpid()}-", dir=home, ignore_cleanup_errors=True
        ) as name,
        held(Path(name)),
    ):
        (Path(name) / _MARKER).touch()
        yield Path(name)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Lock a file or directory so that other processes do not treat it as abandoned."""
    handle = _lock(path)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def hold_open(handle: int) -> None:
    """Lock an open file until it is closed."""
    if _HAS_LOCKS:
        with suppress(OSError):
            flock(handle, LOCK_EX | LOCK_NB)


def abandoned(folder: Path, pattern: str) -> list[Path]:
    """Return the files in a directory that were left by killed processes of this user."""
    try:
        return [path for path in folder.glob(pattern) if _is_abandoned(path)]
    except OSError:
        return []


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove the files in a directory that were left by killed processes of this user."""
    for path in abandoned(folder, pattern):
        remove_tree(path)


def size_of(path: Path) -> int:
    """Return the size in bytes of a file or directory tree; 0 if it does not exist."""
    if path.is_dir() and not path.is_symlink():
        return sum(size_of(entry) for entry in _entries(path))
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_abandoned(path: Path) -> bool:
    process = _owner(path)
    if process is None:
        return False
    if _HAS_LOCKS:
        return not _is_running(process) and _is_free(path)
    # Without locks and signals, age is the only evidence.
    try:
        return path.lstat().st_mtime < time.time() - _LOCKLESS_SECONDS
    except OSError:
        return False


def _owner(path: Path) -> int | None:
    """Return the ID of the process that created a path; ``None`` if it is not ours."""
    match = _DIRECTORY.match(path.name) or _FILE.match(path.name)
    try:
        user = path.lstat().st_uid
    except OSError:
        return None
    if not match or path.is_symlink() or (hasattr(os, "getuid") and user != os.getuid()):
        return None
    if match.re is _DIRECTORY and not _is_marked(path):
        return None
    return int(match["process"])


def _is_marked(folder: Path) -> bool:
    """Check whether this program created a directory; empty ones may be removed anyway."""
    return (folder / _MARKER).is_file() or not _entries(folder)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_free(path: Path) -> bool:
    """Check whether no process holds the lock of a file or directory."""
    handle = _lock(path)
    if handle is None:
        return False
    os.close(handle)
    return True


def _lock(path: Path) -> int | None:
    """Lock a file or directory; return its handle, or ``None`` if it is already locked."""
    if not _HAS_LOCKS:
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
