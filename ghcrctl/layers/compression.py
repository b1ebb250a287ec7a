"""Compression by magic number, streaming.

What belongs here: telling formats apart, opening them, and the gzip that we write, which is
reproducible.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import IntegrityError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_SIZE = 1024 * 1024
# Bytes that are needed to tell the formats apart.
MAGIC_SIZE = 6
_LEVEL = 6
_GZIP_WINDOW = zlib.MAX_WBITS | 16


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


def detect(start: bytes) -> Compression:
    """Tell a format by the first bytes of a stream, of which `MAGIC_SIZE` are enough."""
    for magic, compression in _MAGIC.items():
        if start.startswith(magic):
            return compression
    return Compression.NONE


class Unpacker:
    """Unpacks a packed stream piece by piece, several members after each other too.

    Memory stays flat for what is stored; a piece may unpack to much more than its size, so it is
    given out in parts.

    Raises:
        UnsupportedError: no library for the format is there.
    """

    def __init__(self, compression: Compression) -> None:
        self._make = _decompressors(compression)
        self._name = compression.value
        self._member: Any = self._make()

    def feed(self, data: bytes, take: Callable[[bytes], None]) -> None:
        """Unpack a piece and hand out what it holds.

        Raises:
            IntegrityError: the stream is damaged.
        """
        while data:
            if self._member.eof:
                # Padding after the last member is allowed, and ignored as gzip itself does.
                if not data.strip(b"\0"):
                    return
                self._member = self._make()
            data = self._feed_member(data, take)

    def _feed_member(self, data: bytes, take: Callable[[bytes], None]) -> bytes:
        member = self._member
        try:
            if isinstance(member, _Gzip):
                return member.feed(data, take)
            while not member.eof:
                part = member.decompress(data, CHUNK_SIZE)
                take(part)
                data = b""
                if getattr(member, "needs_input", True) and not member.eof:
                    return b""
            unused: bytes = member.unused_data
            return unused
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise IntegrityError(f"the {self._name} stream is damaged: {error}") from None

    def finish(self) -> None:
        """Check that the stream was whole.

        Raises:
            IntegrityError: it ends too early.
        """
        if not self._member.eof:
            raise IntegrityError(f"the {self._name} stream ends too early")


class _Gzip:
    """zlib's decompressor in the shape of the others."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    @property
    def eof(self) -> bool:
        return self._member.eof

    def feed(self, data: bytes, take: Callable[[bytes], None]) -> bytes:
        while data and not self._member.eof:
            take(self._member.decompress(data, CHUNK_SIZE))
            data = self._member.unconsumed_tail
        return self._member.unused_data


class GzipWriter:
    """Packs reproducibly: the same bytes in give the same bytes out, with no name and no time."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def write(self, data: bytes) -> None:
        """Pack some more."""
        self._take(self._member.compress(data))

    def close(self) -> None:
        """Write what is left."""
        self._take(self._member.flush())


def _decompressors(compression: Compression) -> Callable[[], Any]:
    makers: dict[Compression, Callable[[], Any]] = {
        Compression.GZIP: _Gzip,
        Compression.BZIP2: bz2.BZ2Decompressor,
        Compression.XZ: lzma.LZMADecompressor,
    }
    return makers.get(compression) or _zstd()


def _zstd() -> Callable[[], Any]:
    for module in ("compression.zstd", "backports.zstd"):
        try:
            found = __import__(module, fromlist=["ZstdDecompressor"])
        except ImportError:
            continue
        maker: Callable[[], Any] = found.ZstdDecompressor
        return maker
    raise UnsupportedError(
        "zstd needs Python 3.14, or the package backports.zstd",
        hint="pip install backports.zstd, or pack it with gzip",
    )
