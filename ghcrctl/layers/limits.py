"""Limits of the decompressed size of images, to stop archives made to fill the disk or memory."""

from __future__ import annotations

from dataclasses import dataclass

from ghcrctl.errors import RefusedError

GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of all layers of an image together.

    Args:
        unpacked: decompressed size, including the holes of sparse files (bytes).
        members: number of files, directories, links and whiteouts.
        metadata: size of names, link targets and extended attributes, kept in memory (bytes).
    """

    unpacked: int = 512 * GIBIBYTE
    members: int = 1_000_000
    metadata: int = 256 * 1024**2


class Meter:
    """A count of the sizes in one image.

    Raises:
        RefusedError: by every method, if a limit is exceeded.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._unpacked = 0
        self._members = 0
        self._metadata = 0

    def merge(self, other: Meter) -> None:
        """Add the counts of another meter."""
        self.add_unpacked(other._unpacked)
        self._members += other._members
        self._metadata += other._metadata
        self._check()

    def add_unpacked(self, size: int) -> None:
        """Count decompressed bytes."""
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
        f"the layers have more than {what} when decompressed",
        hint="the image may be malicious; to look at its manifest: ghcrctl inspect IMAGE",
    )
