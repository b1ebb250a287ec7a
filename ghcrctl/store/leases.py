"""Leases protect content that a running process uses from removal by other processes.

A lease is a file with one digest per line, locked by its process. The lock ends with the process,
even if that is killed. Leases are created and read under the store's lock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from filelock import FileLock

from ghcrctl.disk.durability import write_atomically
from ghcrctl.disk.removal import discard_locked, remove
from ghcrctl.errors import InvalidDigestError
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Lease:
    """This process's lease on content of one store."""

    def __init__(self, folder: Path) -> None:
        self.id = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._list = folder / f"{self.id}.list"
        self._lock = FileLock(folder / f"{self.id}.lock", thread_local=False)
        self._lock.acquire(timeout=0)

    def add(self, digests: Iterable[Digest]) -> None:
        """Add content to the lease."""
        with self._list.open("a", encoding="ascii") as file:
            file.writelines(f"{digest}\n" for digest in digests)

    def drop(self, digest: Digest) -> None:
        """Remove content from the lease."""
        if self._list.exists():
            lines = self._list.read_text(encoding="ascii").splitlines(keepends=True)
            kept = "".join(x for x in lines if x != f"{digest}\n")
            write_atomically(self._list, kept.encode("ascii"))

    def close(self) -> None:
        """End the lease; content without a name may then be removed."""
        remove(self._list)
        self._lock.release()
        remove(self._list.with_suffix(".lock"))


def is_alive(folder: Path, lease_id: str) -> bool:
    """Check whether the process of a lease is running; delete the lease if it is not."""
    path = folder / f"{lease_id}.lock"
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except OSError:
        # The process holds the lock (a `TimeoutError`), or this directory is read-only.
        return True
    remove(path.with_suffix(".list"))
    discard_locked(path)
    lock.release()
    return False


def leased(folder: Path) -> Iterator[Digest]:
    """Yield the digests that running processes have leased."""
    for path in list(folder.glob("*.list")):
        if not is_alive(folder, path.stem):
            continue
        try:
            lines = path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            # The process has just ended its lease, which needs no lock.
            continue
        for line in lines:
            try:
                yield Digest.parse(line)
            except InvalidDigestError:
                continue
