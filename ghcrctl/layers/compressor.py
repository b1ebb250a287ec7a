"""Reproducible streaming compression.

The output depends on the format, the level and the versions of the libraries. It does not depend on
the sizes of the writes, the number of threads or the processor.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import UnsupportedError, UsageError
from ghcrctl.layers.compression import Compression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

# The output depends on this size.
BLOCK_SIZE = 1024 * 1024
LEVELS = {Compression.GZIP: range(1, 10), Compression.ZSTD: range(1, 20)}
DEFAULT_LEVELS = {Compression.GZIP: 6, Compression.ZSTD: 3}
# A thread needs 3 MiB with gzip, and 3 to 10 MiB with zstd up to level 9. More threads are not
# faster.
MAX_THREADS = 8
# From this level on, a zstd thread needs 30 to 100 MiB.
_LARGE_LEVEL = 10
_MAX_LARGE_THREADS = 2


class CompressedStream(Protocol):
    """A compressed stream in one format; all blocks but the last have `BLOCK_SIZE` bytes."""

    def start(self) -> Iterable[bytes]:
        """Yield the header."""
        ...

    def add(self, block: bytes) -> Iterable[bytes]:
        """Compress a block; yield the output that is ready."""
        ...

    def finish(self) -> Iterable[bytes]:
        """Yield the rest of the output."""
        ...

    def stop(self) -> None:
        """Stop all threads; no other method is called afterwards."""
        ...


class Compressor:
    """A streaming compressor.

    As a context manager, the compressor is closed at the end, or aborted after an exception. It is
    also aborted after an exception in ``write`` or ``close``.

    Args:
        packing: stream in the output format.
        take: called with the compressed bytes, in order, in the thread that writes.
    """

    def __init__(self, packing: CompressedStream, take: Callable[[bytes], object]) -> None:
        self._stream = packing
        self._take = take
        self._buffer_blocks = _BlockBuffer()
        self._started = False
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Compress bytes.

        Raises:
            ValueError: the compressor is closed.
        """
        if self._closed:
            raise ValueError("write to a closed compressor")
        try:
            for block in self._buffer_blocks.cut(data):
                self._emit_start()
                self._emit(self._stream.add(block))
        except BaseException:
            self.abort()
            raise

    def close(self) -> None:
        """Write the rest of the output; closing again has no effect."""
        if self._closed:
            return
        try:
            self._emit_start()
            if rest := self._buffer_blocks.rest():
                self._emit(self._stream.add(rest))
            self._emit(self._stream.finish())
        finally:
            self.abort()

    def abort(self) -> None:
        """Stop all threads without writing the rest of the output."""
        self._closed = True
        self._stream.stop()

    def _emit_start(self) -> None:
        if not self._started:
            self._started = True
            self._emit(self._stream.start())

    def _emit(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            if part:
                self._take(part)

    def __enter__(self) -> Compressor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def make_compressor(
    compression: Compression,
    take: Callable[[bytes], object],
    *,
    level: int | None = None,
    threads: int | None = None,
) -> Compressor:
    """Return a compressor for a format.

    Args:
        compression: gzip, zstd or none.
        take: called with the compressed bytes, in order, in the thread that writes.
        level: 1 to 9 for gzip (default 6), 1 to 19 for zstd (default 3).
        threads: number of threads, by default one per processor; does not change the output.

    Raises:
        UsageError: the level is invalid.
        UnsupportedError: the format can only be read, or its library is not installed.
    """
    threads = default_threads() if threads is None else max(1, min(threads, MAX_THREADS))
    if compression is Compression.NONE:
        return Compressor(_Plain(), take)
    if compression not in LEVELS:
        raise UnsupportedError(
            f"cannot compress layers with {compression.value}",
            hint="use gzip or zstd",
        )
    level = _level(compression, level)
    if compression is Compression.ZSTD and level >= _LARGE_LEVEL:
        threads = min(threads, _MAX_LARGE_THREADS)
    return Compressor(_stream(compression, level, threads), take)


def default_threads() -> int:
    """Return the default number of threads: one per processor that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, min(count, MAX_THREADS))


def _level(compression: Compression, level: int | None) -> int:
    levels = LEVELS[compression]
    if level is None:
        return DEFAULT_LEVELS[compression]
    if level not in levels:
        raise UsageError(
            f"invalid {compression.value} level {level}: expected {levels[0]} to {levels[-1]}"
        )
    return level


def _stream(compression: Compression, level: int, threads: int) -> CompressedStream:
    if compression is Compression.GZIP:
        from ghcrctl.layers.gzip_blocks import GzipBlocks

        return GzipBlocks(level, threads)
    from ghcrctl.layers.zstd_frames import ZstdFrame

    return ZstdFrame(level, threads)


class _BlockBuffer:
    """A buffer that splits writes into blocks of equal size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def cut(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        with memoryview(data).cast("B") as view:
            start = 0
            while start < len(view):
                end = start + BLOCK_SIZE - len(self._buffer)
                self._buffer += view[start:end]
                start = end
                if len(self._buffer) == BLOCK_SIZE:
                    yield self.rest()

    def rest(self) -> bytes:
        block = bytes(self._buffer)
        self._buffer.clear()
        return block


class _Plain:
    """An uncompressed stream."""

    def start(self) -> Iterable[bytes]:
        return ()

    def add(self, block: bytes) -> Iterable[bytes]:
        return (block,)

    def finish(self) -> Iterable[bytes]:
        return ()

    def stop(self) -> None:
        pass
