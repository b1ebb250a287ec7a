"""Locks on files and directories, held until released or until the process ends."""

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

# Limit for waiting for another process.
LOCK_SECONDS = 60.0
# How many times a file may be replaced while it is being locked.
_MAX_ATTEMPTS = 20
_RETRY_SECONDS = 0.02


@contextmanager
def exclusive_file(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Lock a file against other processes; it need not exist.

    Args:
        path: the file.
        patience: how long to wait for another process (seconds).

    Raises:
        RefusedError: another process holds the lock, or the lock file is replaced repeatedly.
        StoreError: the lock file cannot be written.
    """
    beside = path.with_name(f"{path.name}.lock")
    with ExitStack() as held:
        with disk_errors(f"write {path}"):
            make_directories(path.parent)
            try:
                _acquire(path, beside, patience, held)
            except Timeout:
                raise RefusedError(
                    f"cannot lock {path}: another process is using it",
                    hint="run the command again when the other process has ended",
                ) from None
        try:
            yield
        finally:
            # Remove the file while it is still locked so that others lock a new file.
            discard_locked(beside)


def _acquire(path: Path, beside: Path, patience: float, held: ExitStack) -> None:
    """Lock a file next to the path; retry if its previous owner removed it in the meantime."""
    end = time.monotonic() + patience
    for attempt in count(1):
        with ExitStack() as taken:
            # An open file keeps its identity, which shows whether the name was replaced.
            known = taken.enter_context(beside.open("ab"))
            lock = FileLock(beside, timeout=max(0.0, end - time.monotonic()))
            lock.acquire()
            taken.callback(lock.release)
            # Close the file first: filelock deletes it on Windows, which needs it closed.
            taken.callback(known.close)
            if _has_name(known.fileno(), beside):
                held.push(taken.pop_all())
                return
        if attempt >= _MAX_ATTEMPTS and time.monotonic() >= end:
            raise RefusedError(
                f"cannot lock {path}: {beside} was replaced {attempt} times",
                hint="stop the program that replaces the file",
            )
        time.sleep(_RETRY_SECONDS)


def acquire_in_place(lock: BaseFileLock) -> None:
    """Acquire a lock whose file must not be replaced; this process may already hold it.

    If the file were replaced, two processes could lock different files with the same name.

    Raises:
        Timeout: another process holds the lock for too long.
        StoreLockedError: the file was replaced at every attempt.
    """
    if lock.is_locked:
        lock.acquire()
        return
    path = Path(lock.lock_file)
    for _ in range(_MAX_ATTEMPTS):
        with path.open("ab") as known:
            lock.acquire()
            try:
                if _has_name(known.fileno(), path):
                    return
            except BaseException:
                lock.release()
                raise
        lock.release()
        time.sleep(_RETRY_SECONDS)
    raise _replaced(path)


@contextmanager
def exclusive_directory(folder: Path) -> Iterator[None]:
    """Lock a directory against other ghcrctl processes, without creating a file in it.

    The directory itself is locked. Windows has no such locks, so a file in the temporary directory
    is locked instead.

    Raises:
        StoreLockedError: another process holds the lock for too long, or the directory was replaced
            at every attempt.
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
    """Lock the directory with a name, and return its handle."""
    for _ in range(_MAX_ATTEMPTS):
        handle = os.open(folder, os.O_RDONLY)
        try:
            _wait_for(folder, partial(lock, handle))
            if _has_name(handle, folder):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        time.sleep(_RETRY_SECONDS)
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
        time.sleep(_RETRY_SECONDS)


def _has_name(handle: int, path: Path) -> bool:
    """Check whether a name still belongs to an open file."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _held(path: Path) -> StoreLockedError:
    return StoreLockedError(
        f"cannot lock {path}: another process has held the lock for {LOCK_SECONDS:.0f} s",
        hint="wait for the other process, or stop it",
    )


def _replaced(path: Path) -> StoreLockedError:
    return StoreLockedError(
        f"cannot lock {path}: it was replaced {_MAX_ATTEMPTS} times",
        hint="stop the program that replaces the file",
    )
