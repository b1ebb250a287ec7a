"""Threads that read byte ranges ahead of the reader."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.threads import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


class ReadAhead:
    """A thread pool that reads ahead, with a limit on the segments in memory.

    Args:
        connections: the number of segments that may be in memory, in addition to those being read.
    """

    def __init__(self, connections: int) -> None:
        self._threads = ThreadPool(connections, "ranges")
        self._free = threading.Semaphore(connections)

    def submit(self, read: Callable[[], bytearray | None]) -> Future[bytearray | None] | None:
        """Start reading a segment; ``None`` if the limit is reached or the pool is closed."""
        if not self._free.acquire(blocking=False):
            return None
        try:
            return self._threads.submit(read)
        except RuntimeError:
            # The pool is closed, or no thread can be started.
            self._free.release()
            return None

    def release(self, future: Future[bytearray | None]) -> None:
        """Release a segment as soon as its thread is done."""
        future.add_done_callback(lambda _: self._free.release())

    def close(self) -> None:
        """Start no more reads."""
        self._threads.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of bytes: from ``first`` to ``end`` (exclusive); ``None`` for the end of the blob."""

    first: int
    end: int | None = None

    @property
    def header(self) -> dict[str, str]:
        """The request header (RFC 9110, section 14.2); empty for a whole blob."""
        if not self.first and self.end is None:
            return {}
        last = "" if self.end is None else self.end - 1
        return {"Range": f"bytes={self.first}-{last}"}
