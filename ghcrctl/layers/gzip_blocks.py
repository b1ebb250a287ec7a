"""Parallel gzip compression into a single member (RFC 1952).

Each block is compressed independently (RFC 1951) and ends at a byte boundary with an empty stored
block so that blocks can be concatenated regardless of the number of threads. The last block is
empty.
"""

from __future__ import annotations

import struct
from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING

from ghcrctl.content.thread_waits import wait_for_result
from ghcrctl.content.threads import ThreadPool
from ghcrctl.layers.codecs import deflate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

# The header has no name, time or operating system (RFC 1952, section 2.3).
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# An empty last block with fixed codes (RFC 1951, section 3.2.6).
_LAST_BLOCK = b"\x03\x00"
_RAW_WINDOW = -15
_SIZE_MODULO = 1 << 32
# Incompressible data takes the most time to compress without any gain. Pieces of this size, in
# bytes, are stored if a sample of them is incompressible.
_PIECE = 64 * 1024
_SAMPLE = 4096
_MAX_STORED = 0xFFFF


class GzipBlocks:
    """A gzip member that is being written.

    Args:
        level: compression level, 1 to 9.
        threads: number of threads; with 1, the calling thread compresses.
    """

    def __init__(self, level: int, threads: int) -> None:
        self._library = deflate()
        self._level = level
        self._threads = threads
        self._pool: ThreadPool | None = None
        self._pending: deque[Future[bytes]] = deque()
        self._crc = 0
        self._size = 0

    def start(self) -> Iterable[bytes]:
        """Yield the header."""
        return (_HEADER,)

    def add(self, block: bytes) -> Iterator[bytes]:
        """Start compressing a block; yield earlier blocks that are ready."""
        self._crc = self._library.crc32(block, self._crc)
        self._size += len(block)
        if self._threads == 1:
            yield self._pack(block)
            return
        if self._pool is None:
            self._pool = ThreadPool(self._threads, thread_name_prefix="ghcrctl-pack")
        self._pending.append(self._pool.submit(self._pack, block))
        # One more pending block than threads, so that no thread waits for the caller.
        while len(self._pending) > self._threads + 1 or (self._pending and self._pending[0].done()):
            yield wait_for_result(self._pending.popleft())

    def finish(self) -> Iterator[bytes]:
        """Yield the remaining blocks and the trailer."""
        while self._pending:
            yield wait_for_result(self._pending.popleft())
        yield _LAST_BLOCK + struct.pack("<II", self._crc, self._size % _SIZE_MODULO)

    def stop(self) -> None:
        """Stop the threads after their current blocks."""
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _pack(self, block: bytes) -> bytes:
        return b"".join(
            _stored(run) if is_dense else self._deflate(run, self._level)
            for is_dense, run in self._runs(block)
        )

    def _runs(self, block: bytes) -> Iterator[tuple[bool, bytes]]:
        """Split a block into compressible and incompressible runs."""
        pieces = range(0, len(block), _PIECE)
        for is_dense, starts in groupby(pieces, lambda start: self._is_dense(block, start)):
            run = list(starts)
            yield is_dense, block[run[0] : run[-1] + _PIECE]

    def _is_dense(self, block: bytes, start: int) -> bool:
        """Return whether a piece is incompressible, judged by a sample."""
        middle = start + (min(_PIECE, len(block) - start) - _SAMPLE) // 2
        sample = block[middle : middle + _SAMPLE] if middle >= start else b""
        return bool(sample) and len(self._deflate(sample, 1)) >= len(sample)

    def _deflate(self, data: bytes, level: int) -> bytes:
        member = self._library.compressobj(level, self._library.DEFLATED, _RAW_WINDOW)
        packed: bytes = member.compress(data) + member.flush(self._library.Z_SYNC_FLUSH)
        return packed


def _stored(data: bytes) -> bytes:
    """Return bytes as stored blocks (RFC 1951, section 3.2.4)."""
    parts = []
    for start in range(0, len(data), _MAX_STORED):
        part = data[start : start + _MAX_STORED]
        parts += [struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF), part]
    return b"".join(parts)
