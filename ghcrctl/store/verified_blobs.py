"""Which blobs are known to be right, so that their bytes need not be read again.

What belongs here: the memory of it. What does not: reading blobs (``blobs``).

Each entry ties a digest to the state of its file: size, times of change, and inode. Whatever
writes to a file through the file system changes one of them, and then the entry counts no more,
as in git's index. What changes without the system's knowledge (a failing disk) is found by reading
everything, which is what ``fsck`` does. It is only a memory: where the file is absent or damaged,
or two processes write it at once, some blobs are read once more.
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

# What makes up the state of a file: size in bytes, times in nanoseconds, inode.
State = tuple[int, int, int, int]
# Nanoseconds. Clocks of file systems tick in steps of up to ten milliseconds: of a file that was
# changed just now, a further change may leave the times as they are.
_TICK = 20_000_000
# Bytes. What is smaller is read again in less time than a tick.
_LARGE = 8_000_000


class Verified:
    """What is known of the blobs of one store, by all processes and by this one.

    Args:
        path: the file that keeps it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, State] | None = None
        self._right: dict[str, State] = {}
        self._wrong: dict[str, State] = {}
        self._forgotten: set[str] = set()
        self._guard = threading.Lock()

    def verdict(self, digest: Digest, stat: os.stat_result) -> bool | None:
        """Tell whether a file in this state is right or wrong; ``None`` where it must be read."""
        key, state = str(digest), _state(stat)
        with self._guard:
            if self._wrong.get(key) == state:
                return False
            if self._right.get(key) == state:
                return True
            if key not in self._forgotten and self._read().get(key) == state:
                return True
        return None

    def note(self, digest: Digest, stat: os.stat_result, *, right: bool) -> None:
        """Remember what reading all of a file showed.

        Args:
            digest: what the file should be.
            stat: the file's state before it was read.
            right: whether it was.
        """
        key = str(digest)
        with self._guard:
            if right:
                self._wrong.pop(key, None)
                self._right[key] = _state(stat)
            else:
                self._wrong[key] = _state(stat)
                self._forget(key)

    def forget(self, digest: Digest) -> None:
        """Know nothing of a blob any more."""
        with self._guard:
            self._forget(str(digest))

    def _forget(self, key: str) -> None:
        self._right.pop(key, None)
        self._forgotten.add(key)

    def save(self) -> None:
        """Keep what is known for other processes; where that cannot be written, they read again."""
        with self._guard, suppress(OSError):
            if not (self._right or self._forgotten):
                return
            kept, fresh = self._read(), self._settled()
            if self._forgotten & kept.keys():
                left = {k: s for k, s in kept.items() if k not in self._forgotten}
                write_atomically(self._path, _lines({**left, **fresh}))
            elif new := {k: s for k, s in fresh.items() if kept.get(k) != s}:
                with self._path.open("ab") as file:
                    # A line that another process could not finish ends here.
                    file.write(b"\n" + _lines(new))

    def _settled(self) -> dict[str, State]:
        """Return what any further change would show; for a large blob it is worth a moment."""
        newest = time.time_ns() - _TICK
        if any(_changed(s) > newest and s[0] > _LARGE for s in self._right.values()):
            time.sleep(_TICK / 1e9)
            newest = time.time_ns() - _TICK
        return {k: s for k, s in self._right.items() if _changed(s) <= newest}

    def _read(self) -> dict[str, State]:
        """Return what the file says; what cannot be read in it is as if it was not there."""
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
