"""Unfinished files, shared between processes.

An unfinished file is named after its digest and the lease of the process that writes it. If that
process is dead or has released the file, the first process that renames it takes it over.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import move
from ghcrctl.disk.removal import remove
from ghcrctl.errors import InterruptedByUserError
from ghcrctl.store.leases import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.leases import Lease

# Interval between checks of a file that another process writes.
_POLL_SECONDS = 0.1
# Stop waiting for a file that has not grown for this long. This also resolves deadlocks
# between two waiting processes.
STALL_SECONDS = 15.0
_RELEASED = "-left"


class Partials:
    """The unfinished files of one store.

    Args:
        folder: the directory of the files.
        leases: the directory of leases.
    """

    def __init__(self, folder: Path, leases: Path) -> None:
        self._folder = folder
        self._leases = leases
        self._closed = threading.Event()
        self._stalled: set[str] = set()

    def close(self) -> None:
        """Make all waiting threads stop."""
        self._closed.set()
        self._closed = threading.Event()

    def take(self, digest: Digest, lease: Lease, exists: Callable[[], bool]) -> Path | None:
        """Return the file to write, or ``None`` if another process has stored the content.

        While another process writes the same content, wait as long as its file grows.

        Args:
            digest: the content's digest.
            lease: this process's lease.
            exists: returns whether the complete content is in the store.

        Raises:
            InterruptedByUserError: the store was closed in the meantime.
        """
        mine = self._claim(digest, lease)
        while rival := self._rival(mine):
            if _size(mine) == 0:
                # Other processes would wait for an empty file.
                remove(mine)
            self._await(rival, exists)
            if exists():
                remove(mine)
                return None
            mine = self._claim(digest, lease)
        return mine

    def received(self, digest: Digest) -> int:
        """Return the size in bytes of the largest unfinished file of some content."""
        found = self._folder.glob(f"{digest.algorithm}-{digest.encoded}.*")
        return max(map(_size, found), default=0)

    def release(self, mine: Path) -> None:
        """Release a file for the next writer, which may be this process."""
        move(mine, mine.with_name(mine.name + _RELEASED))

    def _claim(self, digest: Digest, lease: Lease) -> Path:
        """Take over an abandoned file for this content, or create a new one.

        Renaming is atomic: if multiple processes try, only one succeeds.
        """
        mine = self._folder / f"{digest.algorithm}-{digest.encoded}.{lease.id}"
        if mine.exists():
            return mine
        for other in sorted(self._of_same_content(mine), key=_size, reverse=True):
            if is_alive(self._leases, other.suffix[1:]):
                continue
            try:
                move(other, mine)
            except FileNotFoundError:
                continue
            return mine
        mine.touch()
        return mine

    def _of_same_content(self, path: Path) -> Iterator[Path]:
        return self._folder.glob(f"{path.stem}.*")

    def _rival(self, mine: Path) -> Path | None:
        """Return the file of a running process that takes precedence, if there is one.

        All processes use the same order so that only one of two waits for the other.
        """
        order = _order(mine)
        others = [p for p in self._of_same_content(mine) if p != mine and _order(p) < order]
        for path in sorted(others, key=_order):
            owner = path.suffix[1:]
            if owner not in self._stalled and is_alive(self._leases, owner):
                return path
        return None

    def _await(self, rival: Path, exists: Callable[[], bool]) -> None:
        """Wait until another process finishes or abandons a file, or exits."""
        closed, size, since = self._closed, _size(rival), time.monotonic()
        while not closed.wait(_POLL_SECONDS):
            if not rival.exists() or exists():
                return
            if _size(rival) != size:
                size, since = _size(rival), time.monotonic()
            elif not is_alive(self._leases, rival.suffix[1:]):
                return
            elif time.monotonic() - since > STALL_SECONDS:
                self._stalled.add(rival.suffix[1:])
                return
        raise InterruptedByUserError("interrupted")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _order(path: Path) -> tuple[bool, int, str]:
    """Return the sort key of a file: started before empty ones, then older ones first."""
    try:
        found = path.stat()
    except OSError:
        return (True, 2**63, path.name)
    return (found.st_size == 0, found.st_mtime_ns, path.name)
