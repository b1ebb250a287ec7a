"""Having a file, or a directory, to oneself.

What belongs here: a lock that other processes see, and that ends with the process that holds it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ghcrctl.disk.durability import make_directories
from ghcrctl.disk.removal import discard_locked
from ghcrctl.errors import RefusedError
from ghcrctl.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def alone_at(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Keep other processes off a file, which need not be there yet.

    Args:
        path: the file.
        patience: seconds to wait for another process.

    Raises:
        RefusedError: another process is at it.
        StoreError: the disk says so.
    """
    beside = path.with_name(f"{path.name}.lock")
    with ExitStack() as held:
        with disk_errors(f"write {path}"):
            make_directories(path.parent)
            try:
                _acquire(beside, patience, held)
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


def _acquire(beside: Path, patience: float, held: ExitStack) -> None:
    """Lock the file that has the name, and not one that had it: who held that one removed it."""
    end = time.monotonic() + patience
    while True:
        with ExitStack() as taken:
            # What is open keeps its identity, so that it tells whether the name stood for one file
            # all the while.
            known = taken.enter_context(beside.open("ab"))
            lock = FileLock(beside, timeout=max(0.0, end - time.monotonic()))
            lock.acquire()
            taken.callback(lock.release)
            # Closed first: Windows removes no file that is open, and the library does so there.
            taken.callback(known.close)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(known.fileno()), beside.stat()):
                    held.push(taken.pop_all())
                    return


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process of ours is in a directory, and leave no file in it.

    The directory itself is locked. Windows has no such locks: there a file among the temporary
    ones stands for it.
    """
    try:
        import fcntl
    except ImportError:
        named = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        with FileLock(Path(tempfile.gettempdir()) / f"ghcrctl-{named}.lock"):
            yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
