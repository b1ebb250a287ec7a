"""Disk space reserved so that images can be removed when the disk is full."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard

if TYPE_CHECKING:
    from pathlib import Path

_MIN_BYTES = 65_536


class ReservedSpace:
    """A file that occupies disk space until it is needed to write a shorter list of images."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, size: int) -> None:
        """Reserve a number of bytes if the disk has them, or more if it has more."""
        try:
            if self._path.exists() and self._path.stat().st_size >= size:
                return
        except OSError:
            return
        for wanted in (max(_MIN_BYTES, 2 * size), size):
            try:
                with self._path.open("wb") as file:
                    _allocate(file.fileno(), wanted)
            except OSError:
                self.release()
            else:
                return

    def release(self) -> None:
        """Free the space."""
        discard(self._path)


def _allocate(handle: int, size: int) -> None:
    """Allocate disk space for a file; writing zeros might create a sparse file."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.write(handle, os.urandom(size))
