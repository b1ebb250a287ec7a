"""Bytes that pass by the engine, shown as they go: an archive that is read, a file that is written.

What belongs here: counting what passes. What does not: how it looks (``bars``).
"""

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

# Seconds between two looks: what passes in small pieces is not slowed down.
_EACH = 0.05


@contextmanager
def metered(
    app: App, what: str, *, quiet: bool = False
) -> Iterator[Callable[[int, int | None], None]]:
    """Give what is told how many bytes of how many are done; ``what`` they are, for people."""
    display = app.display
    if quiet and not display.is_for_programs:
        yield lambda _done, _total: None
        return
    last = 0.0

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EACH or done == total:
            last = now
            display.count(what, done, total, of_bytes=True)

    try:
        yield tell
    finally:
        display.uncount(what)


@contextmanager
def reading(app: App, stream: Stream, what: str) -> Iterator[Stream]:
    """Show how much of a stream has been read."""
    with metered(app, what) as tell:
        yield _Read(stream, tell, _size_of(stream))


@contextmanager
def writing(
    app: App, write: Callable[[bytes], object], what: str, *, quiet: bool = False
) -> Iterator[Callable[[bytes], object]]:
    """Show how much has been written."""
    done = 0
    with metered(app, what, quiet=quiet) as tell:

        def take(data: bytes) -> None:
            nonlocal done
            write(data)
            done += len(data)
            tell(done, None)

        yield take


class _Read:
    def __init__(
        self, stream: Stream, tell: Callable[[int, int | None], None], total: int | None
    ) -> None:
        self._stream = stream
        self._tell = tell
        self._total = total
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        self._done += len(chunk)
        self._tell(self._done, self._total)
        return chunk

    def close(self) -> None:
        self._stream.close()


def _size_of(stream: Stream) -> int | None:
    """Return the bytes of a file; ``None`` of what is none."""
    with suppress(AttributeError, OSError, ValueError):
        found = os.fstat(stream.fileno())  # type: ignore[attr-defined]
        if stat.S_ISREG(found.st_mode):
            return found.st_size
    return None
