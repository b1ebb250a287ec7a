"""Compression by magic number, streaming.

What belongs here: telling formats apart and unpacking them. What does not: packing (`packing`), and
which libraries do it (`libraries`).
"""

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
# Bytes that are needed to tell the formats apart.
MAGIC_SIZE = 6
# Bytes of a member that are unpacked first; each further step is twice as long.
_FIRST_STEP = 4096


class Compression(Enum):
    """How a stream is packed."""

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


# A skippable frame of zstd, which may stand before the first data frame (RFC 8878, section 3.1.2).
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def detect(start: bytes) -> Compression:
    """Tell a format by the first bytes of a stream, of which `MAGIC_SIZE` are enough."""
    for magic, compression in _MAGIC.items():
        if start.startswith(magic):
            return compression
    return Compression.ZSTD if _SKIPPABLE.match(start) else Compression.NONE


class Unpacker:
    """Unpacks a packed stream piece by piece, several members after each other too.

    Memory stays flat for what is stored; a piece may unpack to much more than its size, so it is
    given out in parts of `CHUNK_SIZE` at the most.

    Raises:
        UnsupportedError: no library for the format is there.
    """

    def __init__(self, compression: Compression) -> None:
        self._decompressor = _decompressor(compression)
        self._name = compression.value
        self._step = _FIRST_STEP
        self._member: Any = self._decompressor.make()

    def feed(self, data: bytes | bytearray | memoryview, take: Callable[[bytes], object]) -> None:
        """Unpack a piece and hand out what it holds; what ``take`` raises comes out as it is.

        Raises:
            IntegrityError: the stream is damaged.
        """
        left = memoryview(data)
        while left:
            if self._member.eof:
                # Padding after the last member is allowed, and ignored as gzip itself does.
                if not bytes(left).strip(b"\0"):
                    return
                # What a member leaves is copied: were it always a whole piece, many small members
                # would take for ever.
                self._step = _FIRST_STEP
                self._member = self._decompressor.make()
            left = left[self._feed_member(left[: self._step], take) :]
            self._step = min(2 * self._step, CHUNK_SIZE)

    def _feed_member(self, data: memoryview, take: Callable[[bytes], object]) -> int:
        """Unpack some of one member; return how many bytes it took."""
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
        """Check that the stream was whole.

        Raises:
            IntegrityError: it ends too early.
        """
        if not self._member.eof:
            raise IntegrityError(f"the {self._name} stream ends too early")


def _decompressor(compression: Compression) -> Decompressor:
    if compression is Compression.GZIP:
        return gzip_decompressor()
    if compression is Compression.ZSTD:
        return zstd_decompressor()
    if compression is Compression.BZIP2:
        return Decompressor(bz2.BZ2Decompressor, (OSError, ValueError))
    return Decompressor(lzma.LZMADecompressor, (lzma.LZMAError,))
