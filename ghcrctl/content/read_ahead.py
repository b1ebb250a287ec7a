"""Reading ahead: one thread reads and verifies while another one writes.

What belongs here: the hand-over between the two. What does not: what is read, and where it goes.
"""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.content.thread_waits import take_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Stream

# Chunks that wait to be written; more only take memory.
_DEPTH = 4
# Bytes. For less, a thread takes longer to begin than to read.
WORTHWHILE = 4 * CHUNK_SIZE


@contextmanager
def reading_ahead(stream: Stream) -> Iterator[Stream]:
    """Read a stream to its end in a thread of its own, a few chunks ahead.

    What the reading raises comes out of ``read``, after the bytes before it.
    """
    try:
        ahead = _Ahead(stream)
    except RuntimeError:
        # The system cannot start more threads: read in this one.
        yield stream
        return
    try:
        yield ahead
    finally:
        ahead.close()


class _Ahead:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._waiting: queue.Queue[bytes | BaseException] = queue.Queue(_DEPTH)
        self._stopped = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        self._thread.start()

    def read(self, size: int, /) -> bytes:
        """Return the next chunk, whatever size is asked for up to a chunk's."""
        del size
        if self._over:
            return b""
        item = take_from(self._waiting)
        if isinstance(item, BaseException):
            self._over = True
            raise item
        self._over = not item
        return item

    def close(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._over = True
        while self._thread.is_alive():
            # It may wait for room.
            try:
                self._waiting.get(timeout=0.05)
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                chunk = self._stream.read(CHUNK_SIZE)
                self._waiting.put(chunk)
                if not chunk:
                    return
        except BaseException as error:  # noqa: BLE001 it is raised where the bytes are read
            self._waiting.put(error)
