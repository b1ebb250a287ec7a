"""Having a file to oneself.

What belongs here: a lock that other processes see, and that ends with the process that holds it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ghcrctl.errors import RefusedError
from ghcrctl.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone_at(path: Path) -> Iterator[None]:
    """Keep other processes off a file, which need not be there yet.

    Raises:
        RefusedError: another process is at it.
        StoreError: the disk says so.
    """
    beside = path.with_name(f"{path.name}.lock")
    with disk_errors(f"write {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(beside, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RefusedError(
                f"another process is at {path}",
                hint="wait for its end; then the same command goes on",
            ) from None
    try:
        yield
    finally:
        # While it is still held: whoever comes now locks a new file, and not one that is going.
        with suppress(OSError):
            beside.unlink()
        lock.release()
