"""Zstandard, as one frame with a checksum of the content (RFC 8878).

What belongs here: the settings of the library, whose own threads do the work. With one thread of
its own or with many it cuts the same sections and gives the same bytes; with none it would give
others, so there is always one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.layers.libraries import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

# What one thread packs at a time, in bytes; it decides the bytes, as the block size of gzip does.
_SECTION = 2 * 1024 * 1024


class ZstdFrame:
    """One frame in the making.

    Args:
        level: 1 to 19.
        threads: of the library's own, besides the one that writes.
    """

    def __init__(self, level: int, threads: int) -> None:
        module = zstd().module
        settings = module.ZstdCompressionParameters.from_level(
            level,
            threads=threads,
            job_size=_SECTION,
            write_checksum=True,
            write_content_size=False,
        )
        self._member: Any = module.ZstdCompressor(compression_params=settings).compressobj()

    def start(self) -> Iterable[bytes]:
        """Give nothing: the library writes the header with the first block."""
        return ()

    def add(self, block: bytes) -> Iterable[bytes]:
        """Take a block; give what is ready."""
        return (self._member.compress(block),)

    def finish(self) -> Iterable[bytes]:
        """Give the rest and the checksum."""
        return (self._member.flush(),)

    def stop(self) -> None:
        """Let the library end its threads, which it does as it is forgotten."""
        self._member = None
