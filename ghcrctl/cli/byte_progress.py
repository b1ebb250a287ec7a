"""Show the progress of reading and writing streams."""

from __future__ import annotations

import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.content.ports import Stream

# Minimum time between updates so that many small chunks add little overhead.
_UPDATE_SECONDS = 0.05


@contextmanager
def byte_counter(
    app: App, label: str, *, quiet: bool = False
) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a callback that takes the transferred and the total bytes.

    Args:
        app: the run.
        label: what is counted.
        quiet: show nothing, except to programs that requested JSON events.
    """
    display = app.display
    if quiet and not display.is_machine_readable:
        yield lambda _done, _total: None
        return
    last = 0.0

    def update(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _UPDATE_SECONDS or done == total:
            last = now
            display.show_count(label, done, total, of_bytes=True)

    try:
        yield update
    finally:
        display.hide_count(label)


@contextmanager
def count_reads(app: App, stream: Stream, label: str) -> Iterator[Stream]:
    """Yield a stream that shows how much of it has been read."""
    with byte_counter(app, label) as update:
        yield _CountedStream(stream, update, _size_of(stream))


@contextmanager
def count_writes(
    app: App, write: Callable[[bytes], object], label: str, *, quiet: bool = False
) -> Iterator[Callable[[bytes], object]]:
    """Yield a write function that shows how much has been written."""
    done = 0
    with byte_counter(app, label, quiet=quiet) as update:

        def counted_write(data: bytes) -> None:
            nonlocal done
            write(data)
            done += len(data)
            update(done, None)

        yield counted_write


class _CountedStream:
    def __init__(
        self, stream: Stream, update: Callable[[int, int | None], None], total: int | None
    ) -> None:
        self._stream = stream
        self._update = update
        self._total = total
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        self._done += len(chunk)
        self._update(self._done, self._total)
        return chunk

    def close(self) -> None:
        self._stream.close()


def _size_of(stream: Stream) -> int | None:
    """Return the size of a regular file (bytes); ``None`` for other streams."""
    with suppress(AttributeError, OSError, ValueError):
        found = os.fstat(stream.fileno())  # type: ignore[attr-defined]
        if stat.S_ISREG(found.st_mode):
            return found.st_size
    return None
