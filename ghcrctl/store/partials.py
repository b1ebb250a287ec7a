"""Unfinished files: who writes which, and what was left.

What belongs here: taking up, giving up and waiting for unfinished files. What does not: receiving
(``blobs``), removing what is old (``leftovers``).

An unfinished file is named after its digest and the lease of the process that writes it. One whose
process is dead, or has given it up, is whoever's renames it first.
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

# Seconds between two looks at what another process writes.
_POLL = 0.1
# Seconds. A file that does not grow for so long is not waited for; two processes that wait for each
# other go on after it, too.
PATIENCE = 15.0
_GIVEN_UP = "-left"


class Partials:
    """The unfinished files of one store.

    Args:
        folder: where they are.
        leases: where processes say that they run.
    """

    def __init__(self, folder: Path, leases: Path) -> None:
        self._folder = folder
        self._leases = leases
        self._closed = threading.Event()
        self._stalled: set[str] = set()

    def close(self) -> None:
        """End all waiting, at once."""
        self._closed.set()
        self._closed = threading.Event()

    def take(self, digest: Digest, lease: Lease, is_here: Callable[[], bool]) -> Path | None:
        """Return the file to write, or nothing once another process has brought the content in.

        While another process writes the same content, this waits for it, as long as its file grows.

        Args:
            digest: the content.
            lease: this process's.
            is_here: tells whether the content is here, whole.

        Raises:
            InterruptedByUserError: the store was closed meanwhile.
        """
        mine = self._claim(digest, lease)
        while rival := self._rival(mine):
            if _size(mine) == 0:
                # An empty file would make others wait for this process.
                remove(mine)
            self._await(rival, is_here)
            if is_here():
                remove(mine)
                return None
            mine = self._claim(digest, lease)
        return mine

    def received(self, digest: Digest) -> int:
        """Return the bytes of the largest unfinished file of content."""
        found = self._folder.glob(f"{digest.algorithm}-{digest.encoded}.*")
        return max(map(_size, found), default=0)

    def give_up(self, mine: Path) -> None:
        """Leave a file to whoever wants to go on with it, this process included."""
        move(mine, mine.with_name(mine.name + _GIVEN_UP))

    def _claim(self, digest: Digest, lease: Lease) -> Path:
        """Take over what was left of this content, or start anew.

        The rename is the claim: of several processes that try, one succeeds.
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
        """Return the file of a living process that goes before one's own, if there is any.

        All processes put them in the same order, so that of two only one waits.
        """
        order = _order(mine)
        others = [p for p in self._of_same_content(mine) if p != mine and _order(p) < order]
        for path in sorted(others, key=_order):
            owner = path.suffix[1:]
            if owner not in self._stalled and is_alive(self._leases, owner):
                return path
        return None

    def _await(self, rival: Path, is_here: Callable[[], bool]) -> None:
        """Wait until another process has finished a file, lets it lie, or dies."""
        closed, size, since = self._closed, _size(rival), time.monotonic()
        while not closed.wait(_POLL):
            if not rival.exists() or is_here():
                return
            if _size(rival) != size:
                size, since = _size(rival), time.monotonic()
            elif not is_alive(self._leases, rival.suffix[1:]):
                return
            elif time.monotonic() - since > PATIENCE:
                self._stalled.add(rival.suffix[1:])
                return
        raise InterruptedByUserError("interrupted")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _order(path: Path) -> tuple[bool, int, str]:
    """Put what has begun before what has not, then what is older first."""
    try:
        found = path.stat()
    except OSError:
        return (True, 2**63, path.name)
    return (found.st_size == 0, found.st_mtime_ns, path.name)
