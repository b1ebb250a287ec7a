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
    """Threads that read ahead, and how many segments they may hold.

    Args:
        connections: how many segments are read or held at once, besides the one of each reader.
    """

    def __init__(self, connections: int) -> None:
        self._threads = ThreadPool(connections, "ranges")
        self._free = threading.Semaphore(connections)

    def submit(self, read: Callable[[], bytearray | None]) -> Future[bytearray | None] | None:
        """Begin to read a segment; ``None`` where as many as may be are held, or all has ended."""
        if not self._free.acquire(blocking=False):
            return None
        try:
            return self._threads.submit(read)
        except RuntimeError:
            # It was closed, so nobody waits for the reader; or no thread can be started.
            self._free.release()
            return None

    def release(self, future: Future[bytearray | None]) -> None:
        """Give back what a segment held, as soon as nobody works on it."""
        future.add_done_callback(lambda _: self._free.release())

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a blob: from ``first`` up to, and without, ``end``; ``None`` for all that follow."""

    first: int
    end: int | None = None

    @property
    def header(self) -> dict[str, str]:
        """The request header (RFC 9110, section 14.2); none for a whole blob."""
        if not self.first and self.end is None:
            return {}
        last = "" if self.end is None else self.end - 1
        return {"Range": f"bytes={self.first}-{last}"}
