"""Having a file, or a directory, to oneself.

What belongs here: a lock that other processes see, and that ends with the process that holds it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ghcrctl.disk.durability import make_directories
from ghcrctl.disk.removal import discard_locked
from ghcrctl.errors import RefusedError, StoreLockedError
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filelock import BaseFileLock

# Seconds to wait for another process.
LOCK_SECONDS = 60.0
# How often a file may be replaced while it is being locked, and the seconds between attempts.
_ATTEMPTS = 20
_PAUSE = 0.02


@contextmanager
def alone_at(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Keep other processes off a file, which need not be there yet.

    Args:
        path: the file.
        patience: seconds to wait for another process.

    Raises:
        RefusedError: another process is at it, or something replaces the lock again and again.
        StoreError: the disk says so.
    """
    beside = path.with_name(f"{path.name}.lock")
    with ExitStack() as held:
        with disk_errors(f"write {path}"):
            make_directories(path.parent)
            try:
                _acquire(path, beside, patience, held)
            except Timeout:
                raise RefusedError(
                    f"another process is at {path}",
                    hint="wait for its end; then the same command goes on",
                ) from None
        try:
            yield
        finally:
            # While it is still held: whoever comes now locks a new file, and not one that is going.
            discard_locked(beside)


def _acquire(path: Path, beside: Path, patience: float, held: ExitStack) -> None:
    """Lock the file that has the name, and not one that had it: who held that one removed it."""
    end = time.monotonic() + patience
    for attempt in count(1):
        with ExitStack() as taken:
            # What is open keeps its identity, so that it tells whether the name stood for one file
            # all the while.
            known = taken.enter_context(beside.open("ab"))
            lock = FileLock(beside, timeout=max(0.0, end - time.monotonic()))
            lock.acquire()
            taken.callback(lock.release)
            # Closed first: Windows removes no file that is open, and the library does so there.
            taken.callback(known.close)
            if _has_name(known.fileno(), beside):
                held.push(taken.pop_all())
                return
        if attempt >= _ATTEMPTS and time.monotonic() >= end:
            raise RefusedError(
                f"cannot lock {path}: {beside} was replaced {attempt} times",
                hint="stop the program that replaces the file",
            )
        time.sleep(_PAUSE)


def acquire_in_place(lock: BaseFileLock) -> None:
    """Acquire a lock whose file nobody should replace; a process may already hold it.

    Two processes that lock different files under one name would not are mutually exclusive.

    Raises:
        Timeout: another process holds the lock for too long.
        StoreLockedError: the file was replaced each time.
    """
    if lock.is_locked:
        lock.acquire()
        return
    path = Path(lock.lock_file)
    for _ in range(_ATTEMPTS):
        with path.open("ab") as known:
            lock.acquire()
            try:
                if _has_name(known.fileno(), path):
                    return
            except BaseException:
                lock.release()
                raise
        lock.release()
        time.sleep(_PAUSE)
    raise _replaced(path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process of ours is in a directory, and leave no file in it.

    The directory itself is locked. Windows has no such locks: there a file among the temporary
    ones stands for it.

    Raises:
        StoreLockedError: another process holds the lock for too long, or the directory was replaced
            each time.
    """
    try:
        import fcntl
    except ImportError:
        named = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        lock = FileLock(Path(tempfile.gettempdir()) / f"ghcrctl-{named}.lock", timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout:
            raise _held(folder) from None
        try:
            yield
        finally:
            lock.release()
        return

    def lock_now(handle: int) -> None:
        flags = fcntl.LOCK_EX | fcntl.LOCK_NB  # type: ignore[attr-defined, unused-ignore] # not Windows
        fcntl.flock(handle, flags)  # type: ignore[attr-defined, unused-ignore] # not Windows

    handle = _lock_directory(folder, lock_now)
    try:
        yield
    finally:
        os.close(handle)


def _lock_directory(folder: Path, lock: Callable[[int], None]) -> int:
    """Lock the directory that has a name, and return its handle."""
    for _ in range(_ATTEMPTS):
        handle = os.open(folder, os.O_RDONLY)
        try:
            _wait_for(folder, partial(lock, handle))
            if _has_name(handle, folder):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        time.sleep(_PAUSE)
    raise _replaced(folder)


def _wait_for(folder: Path, lock: Callable[[], None]) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            lock()
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise _held(folder) from None
        time.sleep(_PAUSE)


def _has_name(handle: int, path: Path) -> bool:
    """Return whether an open file is the one that has a name now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _held(path: Path) -> StoreLockedError:
    return StoreLockedError(
        f"another process has held the lock of {path} for {LOCK_SECONDS:.0f} s",
        hint="wait for it, or end it; a lock ends with its process",
    )


def _replaced(path: Path) -> StoreLockedError:
    return StoreLockedError(
        f"cannot lock {path}: it was replaced {_ATTEMPTS} times",
        hint="stop the program that replaces the file",
    )
