"""Read-ahead: one thread reads and verifies content while another writes it."""

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

# More queued chunks use memory without being faster.
_MAX_CHUNKS = 4
# Starting a thread takes longer than reading less than this, in bytes.
MIN_READ_AHEAD_SIZE = 4 * CHUNK_SIZE


@contextmanager
def read_ahead(stream: Stream) -> Iterator[Stream]:
    """Yield a stream that a background thread reads a few chunks ahead.

    Its ``read`` raises the errors of the background thread after the bytes read before them.
    """
    try:
        reader = _ReadAhead(stream)
    except RuntimeError:
        # The system cannot start more threads, so read in this one.
        yield stream
        return
    try:
        yield reader
    finally:
        reader.close()


class _ReadAhead:
    """A stream whose chunks a background thread puts into a queue."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._chunks: queue.Queue[bytes | BaseException] = queue.Queue(_MAX_CHUNKS)
        self._stopped = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        self._thread.start()

    def read(self, size: int, /) -> bytes:
        """Return the next chunk of up to `CHUNK_SIZE` bytes, regardless of the requested size."""
        del size
        if self._ended:
            return b""
        item = take_from(self._chunks)
        if isinstance(item, BaseException):
            self._ended = True
            raise item
        self._ended = not item
        return item

    def close(self) -> None:
        """Stop the thread."""
        self._stopped.set()
        self._ended = True
        while self._thread.is_alive():
            # The thread may be waiting for space in the queue.
            try:
                self._chunks.get(timeout=0.05)
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                chunk = self._stream.read(CHUNK_SIZE)
                self._chunks.put(chunk)
                if not chunk:
                    return
        except BaseException as error:  # noqa: BLE001 it is raised where the bytes are read
            self._chunks.put(error)
