"""Zstandard compression as one frame with a content checksum (RFC 8878)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.layers.codecs import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

# The library's threads compress jobs of this size. It determines the output, like the block size
# of gzip does.
_JOB_BYTES = 2 * 1024 * 1024


class ZstdFrame:
    """A zstd frame that is being written.

    The library does the work in its own threads. One thread and many threads split the input into
    the same jobs and write the same bytes. Compression in the calling thread would write other
    bytes, so there is always at least one thread.

    Args:
        level: 1 to 19.
        threads: number of the library's threads, in addition to the calling one.
    """

    def __init__(self, level: int, threads: int) -> None:
        module = zstd()
        name = module.CompressionParameter
        options = {name.compression_level: level, name.checksum_flag: 1, name.content_size_flag: 0}
        # A libzstd of the system may be built without threads.
        if name.nb_workers.bounds()[1]:
            options |= {name.nb_workers: threads, name.job_size: _JOB_BYTES}
        self._member: Any = module.ZstdCompressor(options=options)

    def start(self) -> Iterable[bytes]:
        """Yield nothing: the library writes the header with the first block."""
        return ()

    def add(self, block: bytes) -> Iterable[bytes]:
        """Compress a block; yield the output that is ready."""
        return (self._member.compress(block),)

    def finish(self) -> Iterable[bytes]:
        """Yield the rest of the output and the checksum."""
        return (self._member.flush(),)

    def stop(self) -> None:
        """Release the compressor, which ends its threads."""
        self._member = None
