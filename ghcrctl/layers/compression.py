"""Compression formats, their detection by magic number, and streaming decompression."""

from __future__ import annotations

import bz2
import lzma
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import IntegrityError
from ghcrctl.layers.codecs import Decompressor, gzip_decompressor, zstd_decompressor

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_SIZE = 1024 * 1024
# The number of bytes needed to detect the format.
MAGIC_SIZE = 6
# Size of the first decompression step of a member, in bytes; each further step is twice as large.
_FIRST_STEP = 4096


class Compression(Enum):
    """The compression format of a stream."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"


_MAGIC = {
    b"\x1f\x8b": Compression.GZIP,
    b"BZh": Compression.BZIP2,
    b"\xfd7zXZ\x00": Compression.XZ,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
}


# A skippable frame, which may precede the first zstd frame (RFC 8878, section 3.1.2).
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def detect(start: bytes) -> Compression:
    """Return the format of a stream that starts with some bytes, at least `MAGIC_SIZE`."""
    for magic, compression in _MAGIC.items():
        if start.startswith(magic):
            return compression
    return Compression.ZSTD if _SKIPPABLE.match(start) else Compression.NONE


class Unpacker:
    """A streaming decompressor that also reads concatenated members.

    A piece may decompress to much more than its size, so the output has chunks of at most
    `CHUNK_SIZE` bytes and memory use is bounded.

    Raises:
        UnsupportedError: the library for the format is not installed.
    """

    def __init__(self, compression: Compression) -> None:
        self._decompressor = _decompressor(compression)
        self._name = compression.value
        self._step = _FIRST_STEP
        self._member: Any = self._decompressor.make()

    def feed(self, data: bytes | bytearray | memoryview, take: Callable[[bytes], object]) -> None:
        """Decompress a piece and pass the output to a function.

        Args:
            data: compressed bytes.
            take: called with each chunk; its exceptions are not translated.

        Raises:
            IntegrityError: the stream is damaged.
        """
        left = memoryview(data)
        while left:
            if self._member.eof:
                # Padding with zeros after the last member is ignored, as gzip does.
                if not bytes(left).strip(b"\0"):
                    return
                # The unused data of a member is copied. With large steps, many small members would
                # take quadratic time.
                self._step = _FIRST_STEP
                self._member = self._decompressor.make()
            left = left[self._feed_member(left[: self._step], take) :]
            self._step = min(2 * self._step, CHUNK_SIZE)

    def _feed_member(self, data: memoryview, take: Callable[[bytes], object]) -> int:
        """Decompress a part of one member; return the number of consumed bytes."""
        size = len(data)
        while True:
            try:
                part = self._member.decompress(data, CHUNK_SIZE)
            except self._decompressor.errors as error:
                raise IntegrityError(f"the {self._name} stream is damaged: {error}") from None
            take(part)
            if self._member.eof:
                return size - len(self._member.unused_data)
            if self._member.needs_input:
                return size
            data = memoryview(b"")

    def finish(self) -> None:
        """Check that the stream is complete.

        Raises:
            IntegrityError: the stream is truncated.
        """
        if not self._member.eof:
            raise IntegrityError(f"the {self._name} stream is truncated")


def _decompressor(compression: Compression) -> Decompressor:
    if compression is Compression.GZIP:
        return gzip_decompressor()
    if compression is Compression.ZSTD:
        return zstd_decompressor()
    if compression is Compression.BZIP2:
        return Decompressor(bz2.BZ2Decompressor, (OSError, ValueError))
    return Decompressor(lzma.LZMADecompressor, (lzma.LZMAError,))
