"""How much of a layer is taken in: what a small archive may unpack to.

What belongs here: the bounds, and counting against them. Real images stay far below; an archive
that was made to fill a disk or memory does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from ghcrctl.errors import RefusedError

GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """What all layers of an image together may have.

    Args:
        unpacked: bytes, the holes of sparse files included.
        members: files, directories, links and whiteouts.
        metadata: bytes of names, link targets and extended attributes, which are kept in memory.
    """

    unpacked: int = 512 * GIBIBYTE
    members: int = 1_000_000
    metadata: int = 256 * 1024**2


class Meter:
    """Counts what was taken in of one image.

    Raises:
        RefusedError: out of every method, once there is too much.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._unpacked = 0
        self._members = 0
        self._metadata = 0

    def absorb(self, other: Meter) -> None:
        """Count what another counted, too."""
        self.add_unpacked(other._unpacked)
        self._members += other._members
        self._metadata += other._metadata
        self._check()

    def add_unpacked(self, size: int) -> None:
        """Count unpacked bytes."""
        self._unpacked += size
        if self._unpacked > self.limits.unpacked:
            raise _too_much(f"{self.limits.unpacked} bytes")

    def add_member(self, metadata: int) -> None:
        """Count a member and the bytes of its metadata."""
        self._members += 1
        self._metadata += metadata
        self._check()

    def _check(self) -> None:
        if self._members > self.limits.members:
            raise _too_much(f"{self.limits.members} files")
        if self._metadata > self.limits.metadata:
            raise _too_much(f"{self.limits.metadata} bytes of names and attributes")


def _too_much(what: str) -> RefusedError:
    return RefusedError(
        f"the layers unpack to more than {what}",
        hint="an archive may have been made to fill the disk or memory: pull the image to look",
    )
