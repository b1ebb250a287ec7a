"""Reading what a stored layer holds, as far as somebody wants it.

What belongs here: unpacking on demand, and the digest of what came out. What does not: telling
formats apart (`compression`), the tar archive inside (`walking`).
"""

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
# What a new member leaves of a step is copied, so that steps begin short and double.
_FIRST_STEP = 4096


class Unpacked:
    """The bytes inside a stored layer, each once and in order.

    Args:
        stream: the stored bytes: plain, or packed in any format that `Compression` knows.
        meter: counts what comes out.
        diff_id: what the digest of all of it must be; ``None`` where nobody knows.
    """

    def __init__(self, stream: Stream, meter: Meter, diff_id: Digest | None = None) -> None:
        self._chunks = unpack(stream)
        self._meter = meter
        self._diff_id = diff_id
        self._hasher = diff_id.hasher() if diff_id else None
        self._chunk = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes, or all that are left where they are fewer."""
        first = self.read_some(size)
        if len(first) == size or not first:
            return first
        parts, left = [first], size - len(first)
        while left and (part := self.read_some(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def read_some(self, size: int) -> bytes:
        """Return up to ``size`` bytes that are at hand; none at the end."""
        if not self._chunk and not self._fill():
            return b""
        part, self._chunk = bytes(self._chunk[:size]), self._chunk[size:]
        return part

    def skip(self, size: int) -> int:
        """Pass over bytes; return how many there were."""
        left = size
        while left and (self._chunk or self._fill()):
            passed = min(left, len(self._chunk))
            self._chunk = self._chunk[passed:]
            left -= passed
        return size - left

    def finish(self) -> None:
        """Read on to the end, and check what all of it was.

        Raises:
            DigestMismatchError: the layer holds something else than the image's config says.
        """
        while self._fill():
            pass
        if self._diff_id and self._hasher and not self._diff_id.matches(self._hasher):
            raise DigestMismatchError(
                f"the layer unpacks to something else than the image's config says: expected "
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
    """Yield what a stored stream holds, in chunks of at most `CHUNK_SIZE`, none of them empty.

    Raises:
        IntegrityError: the stream is damaged or ends too early.
        UnsupportedError: no library for its format is there.
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
    """Unpack one member after the other."""
    member: Any = decompressor.make()
    step = _FIRST_STEP
    for piece in pieces:
        left = memoryview(piece)
        while left:
            if member.eof:
                # Padding after the last member is allowed, and ignored as gzip itself does.
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
        raise IntegrityError(f"the {name} stream ends too early")


def _parts(member: Any, data: memoryview) -> Iterator[bytes]:
    """Feed one piece, and take all that comes of it."""
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
