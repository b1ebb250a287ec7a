"""Remembers which blobs are verified, to avoid reading their bytes again.

Each entry ties a digest to the state of its file: size, times and inode. As in git's index, any
change through the file system changes the state and invalidates the entry. Silent corruption by a
failing disk is only found by reading everything, which ``fsck`` does. The file is a cache: if it is
missing or damaged, or two processes write it at the same time, some blobs are read again.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import write_atomically

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from ghcrctl.oci.digest import Digest

# The state of a file: size in bytes, mtime and ctime in nanoseconds, inode.
State = tuple[int, int, int, int]
# File system clocks have a resolution of up to ten milliseconds, so a change right after another
# may not change the times.
_CLOCK_TICK_NANOSECONDS = 20_000_000
# Blobs up to this size (bytes) are read again in less time than a clock tick.
_LARGE_BYTES = 8_000_000


class VerifiedBlobs:
    """The verified blobs of one store.

    Args:
        path: the cache file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, State] | None = None
        self._intact: dict[str, State] = {}
        self._damaged: dict[str, State] = {}
        self._forgotten: set[str] = set()
        self._guard = threading.Lock()

    def verdict(self, digest: Digest, stat: os.stat_result) -> bool | None:
        """Return whether a file in this state is intact; ``None`` if it must be read."""
        key, state = str(digest), _state(stat)
        with self._guard:
            if self._damaged.get(key) == state:
                return False
            if self._intact.get(key) == state:
                return True
            if key not in self._forgotten and self._read().get(key) == state:
                return True
        return None

    def note(self, digest: Digest, stat: os.stat_result, *, intact: bool) -> None:
        """Record the result of reading a whole file.

        Args:
            digest: the expected digest.
            stat: the file's state before it was read.
            intact: whether the content matched.
        """
        key = str(digest)
        with self._guard:
            if intact:
                self._damaged.pop(key, None)
                self._intact[key] = _state(stat)
            else:
                self._damaged[key] = _state(stat)
                self._forget(key)

    def forget(self, digest: Digest) -> None:
        """Drop the entry of a blob."""
        with self._guard:
            self._forget(str(digest))

    def _forget(self, key: str) -> None:
        self._intact.pop(key, None)
        self._forgotten.add(key)

    def save(self) -> None:
        """Save the entries for other processes; if that fails, they read the blobs again."""
        with self._guard, suppress(OSError):
            if not (self._intact or self._forgotten):
                return
            kept, fresh = self._read(), self._settled()
            if self._forgotten & kept.keys():
                left = {k: s for k, s in kept.items() if k not in self._forgotten}
                write_atomically(self._path, _lines({**left, **fresh}))
            elif new := {k: s for k, s in fresh.items() if kept.get(k) != s}:
                with self._path.open("ab") as file:
                    # Terminate a line that another process may have left incomplete.
                    file.write(b"\n" + _lines(new))

    def _settled(self) -> dict[str, State]:
        """Return the entries that any later change invalidates; wait a tick for large blobs."""
        newest = time.time_ns() - _CLOCK_TICK_NANOSECONDS
        if any(_changed(s) > newest and s[0] > _LARGE_BYTES for s in self._intact.values()):
            time.sleep(_CLOCK_TICK_NANOSECONDS / 1e9)
            newest = time.time_ns() - _CLOCK_TICK_NANOSECONDS
        return {k: s for k, s in self._intact.items() if _changed(s) <= newest}

    def _read(self) -> dict[str, State]:
        """Return the entries of the cache file, ignoring unreadable lines."""
        if self._kept is None:
            self._kept = {}
            with suppress(OSError):
                for line in self._path.read_bytes().splitlines():
                    with suppress(ValueError):
                        key, size, written, changed, inode = line.decode("ascii").split(" ")
                        self._kept[key] = (int(size), int(written), int(changed), int(inode))
        return self._kept


def _state(stat: os.stat_result) -> State:
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _changed(state: State) -> int:
    return max(state[1], state[2])


def _lines(entries: dict[str, State]) -> bytes:
    lines = (f"{key} {' '.join(map(str, state))}\n" for key, state in entries.items())
    return "".join(lines).encode("ascii")
