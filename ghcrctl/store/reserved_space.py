"""Room kept for a full disk: what makes room needs some itself, for the shorter list of images.

What belongs here: keeping that room and giving it back. What does not: when (``store``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard

if TYPE_CHECKING:
    from pathlib import Path

_LEAST = 65_536


class Spare:
    """A file that takes room and says nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, size: int) -> None:
        """Keep room for so many bytes, if the disk has it; for more to come, where it has more."""
        try:
            if self._path.exists() and self._path.stat().st_size >= size:
                return
        except OSError:
            return
        for wanted in (max(_LEAST, 2 * size), size):
            try:
                with self._path.open("wb") as file:
                    _take(file.fileno(), wanted)
            except OSError:
                self.release()
            else:
                return

    def release(self) -> None:
        """Give the room back."""
        discard(self._path)


def _take(handle: int, size: int) -> None:
    """Make a file take room on the disk; zeros alone might take none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.write(handle, os.urandom(size))
