"""Packing, streaming and reproducible: the same bytes in give the same bytes out.

What belongs here: the one interface for every format that we write, and how input is cut. What does
not: the formats (`gzip_blocks`, `zstd_frames`), telling formats apart and unpacking
(`compression`).

The bytes depend on the format, the level and the libraries' versions. They depend neither on how
input was cut into writes, nor on the number of threads, nor on the processor.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import UnsupportedError, UsageError
from ghcrctl.layers.compression import Compression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

# Part of what decides the bytes: another size makes other bytes of the same input.
BLOCK_SIZE = 1024 * 1024
LEVELS = {Compression.GZIP: range(1, 10), Compression.ZSTD: range(1, 20)}
DEFAULT_LEVELS = {Compression.GZIP: 6, Compression.ZSTD: 3}
# More threads only take memory: 3 MiB each with gzip, 3 to 10 MiB with zstd up to level 9.
MAX_THREADS = 8
# From this level on a thread of zstd takes 30 to 100 MiB.
_HUNGRY_LEVEL = 10
_MOST_HUNGRY_THREADS = 2


class Packing(Protocol):
    """One stream on its way into a format; blocks are `BLOCK_SIZE` long, except for the last."""

    def start(self) -> Iterable[bytes]:
        """Give what comes first."""
        ...

    def add(self, block: bytes) -> Iterable[bytes]:
        """Take a block; give what is ready, of this one or of earlier ones."""
        ...

    def finish(self) -> Iterable[bytes]:
        """Give all that is left."""
        ...

    def stop(self) -> None:
        """End every thread. Nothing is asked for afterwards."""
        ...


class Packer:
    """Packs a stream.

    As a context manager it closes at the end, and lets go of its threads where an exception comes
    instead. After any exception out of ``write`` or ``close`` the threads are gone, too.

    Args:
        packing: the format.
        take: gets what is packed, in order, in the thread that writes.
    """

    def __init__(self, packing: Packing, take: Callable[[bytes], object]) -> None:
        self._packing = packing
        self._take = take
        self._cutter = _Cutter()
        self._started = False
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Pack some more.

        Raises:
            ValueError: the packer is closed.
        """
        if self._closed:
            raise ValueError("write to a closed packer")
        try:
            for block in self._cutter.cut(data):
                self._give_start()
                self._give(self._packing.add(block))
        except BaseException:
            self.abort()
            raise

    def close(self) -> None:
        """Write what is left. Doing it again does nothing."""
        if self._closed:
            return
        try:
            self._give_start()
            if rest := self._cutter.rest():
                self._give(self._packing.add(rest))
            self._give(self._packing.finish())
        finally:
            self.abort()

    def abort(self) -> None:
        """Let go of everything, and write no more."""
        self._closed = True
        self._packing.stop()

    def _give_start(self) -> None:
        if not self._started:
            self._started = True
            self._give(self._packing.start())

    def _give(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            if part:
                self._take(part)

    def __enter__(self) -> Packer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def make_packer(
    compression: Compression,
    take: Callable[[bytes], object],
    *,
    level: int | None = None,
    threads: int | None = None,
) -> Packer:
    """Make a packer for a format.

    Args:
        compression: gzip, zstd, or none, which passes bytes on.
        take: gets what is packed, in order, in the thread that writes.
        level: 1 to 9 with gzip (6 is usual), 1 to 19 with zstd (3 is usual).
        threads: how many pack; by default one for each processor. The bytes are the same.

    Raises:
        UsageError: the format has no such level.
        UnsupportedError: it is a format that is only read, or its library is missing.
    """
    threads = default_threads() if threads is None else max(1, min(threads, MAX_THREADS))
    if compression is Compression.NONE:
        return Packer(_Plain(), take)
    if compression not in LEVELS:
        raise UnsupportedError(
            f"nothing is packed with {compression.value}, which images do not know",
            hint="pack with gzip or zstd",
        )
    level = _level(compression, level)
    if compression is Compression.ZSTD and level >= _HUNGRY_LEVEL:
        threads = min(threads, _MOST_HUNGRY_THREADS)
    return Packer(_packing(compression, level, threads), take)


def default_threads() -> int:
    """Return how many threads pack: one for each processor that this process may use."""
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
            f"{compression.value} has no level {level}, but {levels[0]} to {levels[-1]}"
        )
    return level


def _packing(compression: Compression, level: int, threads: int) -> Packing:
    if compression is Compression.GZIP:
        from ghcrctl.layers.gzip_blocks import GzipBlocks

        return GzipBlocks(level, threads)
    from ghcrctl.layers.zstd_frames import ZstdFrame

    return ZstdFrame(level, threads)


class _Cutter:
    """Cuts writes of any size into blocks of one size."""

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
    """No format at all."""

    def start(self) -> Iterable[bytes]:
        return ()

    def add(self, block: bytes) -> Iterable[bytes]:
        return (block,)

    def finish(self) -> Iterable[bytes]:
        return ()

    def stop(self) -> None:
        pass
