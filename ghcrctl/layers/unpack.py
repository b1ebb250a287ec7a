"""Decompression of stored layers on demand, with verification of the diff ID."""

from __future__ import annotations

import bz2
import lzma
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import DigestMismatchError, IntegrityError
from ghcrctl.layers.codecs import Decompressor, gzip_decompressor, zstd_decompressor
from ghcrctl.layers.compression import CHUNK_SIZE, MAGIC_SIZE, Compression, detect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.layers.limits import Meter
    from ghcrctl.oci.digest import Digest

_PIECE = 256 * 1024
# The unused data of a member is copied, so steps start small and double.
_FIRST_STEP = 4096


class Unpacked:
    """The decompressed bytes of a stored layer.

    Args:
        stream: stored bytes, uncompressed or in any format of `Compression`.
        meter: counts the decompressed bytes.
        diff_id: expected digest of the decompressed layer; ``None`` to skip the check.
    """

    def __init__(self, stream: Stream, meter: Meter, diff_id: Digest | None = None) -> None:
        self._chunks = unpack(stream)
        self._meter = meter
        self._diff_id = diff_id
        self._hasher = diff_id.hasher() if diff_id else None
        self._chunk = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; fewer only at the end."""
        first = self.read_some(size)
        if len(first) == size or not first:
            return first
        parts, left = [first], size - len(first)
        while left and (part := self.read_some(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def read_some(self, size: int) -> bytes:
        """Return up to ``size`` bytes; empty at the end."""
        if not self._chunk and not self._fill():
            return b""
        part, self._chunk = bytes(self._chunk[:size]), self._chunk[size:]
        return part

    def skip(self, size: int) -> int:
        """Skip bytes; return the number of skipped bytes."""
        left = size
        while left and (self._chunk or self._fill()):
            passed = min(left, len(self._chunk))
            self._chunk = self._chunk[passed:]
            left -= passed
        return size - left

    def finish(self) -> None:
        """Read to the end and verify the diff ID.

        Raises:
            DigestMismatchError: the layer does not match the diff ID in the config.
        """
        while self._fill():
            pass
        if self._diff_id and self._hasher and not self._diff_id.matches(self._hasher):
            raise DigestMismatchError(
                f"the layer does not match the diff ID in the image config: expected "
                f"{self._diff_id}, got {self._diff_id.algorithm}:{self._hasher.hexdigest()}"
            )

    def _fill(self) -> bool:
        chunk = next(self._chunks, b"")
        self._meter.add_unpacked(len(chunk))
        if self._hasher:
            self._hasher.update(chunk)
        self._chunk = memoryview(chunk)
        return bool(chunk)


def unpack(stream: Stream) -> Iterator[bytes]:
    """Yield the decompressed bytes of a stream in non-empty chunks of at most `CHUNK_SIZE`.

    Raises:
        IntegrityError: the stream is damaged or truncated.
        UnsupportedError: the library for its format is not installed.
    """
    start = b""
    while len(start) < MAGIC_SIZE and (piece := stream.read(_PIECE)):
        start += piece
    compression = detect(start)
    pieces = _pieces(start, stream)
    if compression is Compression.NONE:
        yield from pieces
        return
    yield from _unpack(pieces, _decompressor(compression), compression.value)


def _pieces(start: bytes, stream: Stream) -> Iterator[bytes]:
    piece = start
    while piece:
        yield piece
        piece = stream.read(_PIECE)


def _unpack(pieces: Iterator[bytes], decompressor: Decompressor, name: str) -> Iterator[bytes]:
    """Decompress concatenated members."""
    member: Any = decompressor.make()
    step = _FIRST_STEP
    for piece in pieces:
        left = memoryview(piece)
        while left:
            if member.eof:
                # Padding with zeros after the last member is ignored, as gzip does.
                if not bytes(left).strip(b"\0"):
                    break
                member, step = decompressor.make(), _FIRST_STEP
            part = left[:step]
            try:
                yield from _parts(member, part)
            except decompressor.errors as error:
                raise IntegrityError(f"the {name} stream is damaged: {error}") from None
            unused = len(member.unused_data) if member.eof else 0
            left = left[len(part) - unused :]
            step = min(2 * step, _PIECE)
    if not member.eof:
        raise IntegrityError(f"the {name} stream is truncated")


def _parts(member: Any, data: memoryview) -> Iterator[bytes]:
    """Decompress one piece and yield its output."""
    while True:
        part = member.decompress(data, CHUNK_SIZE)
        if part:
            yield part
        if member.eof or member.needs_input:
            return
        data = memoryview(b"")


def _decompressor(compression: Compression) -> Decompressor:
    if compression is Compression.GZIP:
        return gzip_decompressor()
    if compression is Compression.ZSTD:
        return zstd_decompressor()
    if compression is Compression.BZIP2:
        return Decompressor(bz2.BZ2Decompressor, (OSError, ValueError))
    return Decompressor(lzma.LZMADecompressor, (lzma.LZMAError,))
