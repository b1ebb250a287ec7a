"""Who shows how far everything has come: nobody, bars on a terminal, lines in a log, or JSON.

What belongs here: what becomes visible when. What does not: counting (``board``), layout
(``drawing``), the terminal (``screen``), the form of events (``events``).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from ghcrctl.cli.progress.board import Board
from ghcrctl.cli.progress.events import Throttle, counted, described, waiting
from ghcrctl.cli.progress.render import ASCII, UNICODE, draw, percent, size_text, time_text
from ghcrctl.cli.progress.suspend import Suspending
from ghcrctl.content.thread_waits import join
from ghcrctl.transfer.events import Planned, ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.progress.render import Line
    from ghcrctl.cli.progress.screen import Screen
    from ghcrctl.cli.progress.snapshot import Row
    from ghcrctl.content.rate_limit_waits import Wait
    from ghcrctl.transfer.events import Event, Observer

    Tell = Callable[[str], None]

# Seconds from one picture to the next, and from one line to the next.
_FRAME, _LINE = 0.1, 10.0
# Seconds of a wait that a person begins to wonder about.
_NOTICED = 2.0


class Display:
    """Shows nothing of what moves; waits that a person would notice are told in a line.

    Args:
        warn: prints a warning, once.
    """

    is_for_programs = False
    # Whether it is seen that a layer is tried again, so that no line need tell it.
    shows_retries = False

    def __init__(self, warn: Tell) -> None:
        self._warn = warn

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Show what moves, as long as this lasts."""
        yield

    def image(self, name: str) -> Observer:
        """Return what takes the events of an image."""
        del name
        return ignore

    def wait(self, wait: Wait) -> None:
        """Tell of a wait that begins."""
        if wait.seconds >= _NOTICED:
            self._warn(f"{wait.reason}; {wait.verb} in {wait.seconds:.0f} s{wait.note}")

    def count(self, what: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        """Take note of how far something has come that is no content of an image."""

    def uncount(self, what: str | None = None) -> None:
        """Show something no more, or nothing that was counted."""

    def above(self, stream: TextIO, text: str) -> None:
        """Write a text to a terminal, which may be the one that this is on."""
        stream.write(text)
        stream.flush()

    def close(self) -> None:
        """Show nothing any more."""


class _Ticker:
    """Calls something every so often, in a thread of its own, from the first need to the end."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                thread = threading.Thread(target=self._run, name="progress", daemon=True)
                # Without a thread, the work continues without a progress display.
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def end(self) -> None:
        self._ended.set()
        with self._lock:
            if self._thread:
                join(self._thread)

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._act()


class Counted(Display):
    """Shows over and over what a board has counted; how it shows it, each kind says."""

    def __init__(self, warn: Tell) -> None:
        super().__init__(warn)
        self._board = Board()
        self._depth = 0

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Show it until the end of the outermost; then nothing is left of it."""
        self._depth += 1
        self._begin()
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._board.reset()
                self._rest()

    def image(self, name: str) -> Observer:
        """Return what takes the events of an image."""
        del name
        return self._board.image()

    def count(self, what: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        """Show what is counted, too."""
        self._board.count(what, done, total, of_bytes=of_bytes)
        self._begin()

    def uncount(self, what: str | None = None) -> None:
        """Show it no more, at once: somebody may be asked something."""
        self._board.uncount(what)
        if not self._depth:
            self._rest()

    def _begin(self) -> None:
        """Begin to show it, where that has not begun."""
        raise NotImplementedError

    def _rest(self) -> None:
        """Show nothing until something begins again."""
        raise NotImplementedError


class Bars(Counted):
    """Draws bars on a terminal.

    Args:
        warn: prints a warning, once.
        screen: the terminal.
        is_unicode: whether it can show more than ASCII.
    """

    shows_retries = True

    def __init__(self, warn: Tell, screen: Screen, *, is_unicode: bool) -> None:
        super().__init__(warn)
        self._screen = screen
        self._looks = UNICODE if is_unicode else ASCII
        # The signal of Ctrl-Z may come while its thread has it.
        self._lock = threading.RLock()
        self._ticker = _Ticker(_FRAME, self._draw)
        self._suspending = Suspending(self._rest)

    def wait(self, wait: Wait) -> None:
        """Count down."""
        self._board.wait(wait)
        self._begin()

    def above(self, stream: TextIO, text: str) -> None:
        """Write above the bars, which are those of now then."""
        with self._lock:
            self._screen.above(stream, text, self._lines)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._ticker.end()
        self._suspending.end()
        self._rest()

    def _begin(self) -> None:
        self._suspending.begin()
        self._ticker.begin()

    def _lines(self) -> list[Line]:
        columns, rows = self._screen.size
        return draw(self._board.picture(), columns, rows, self._looks)

    def _draw(self) -> None:
        with self._lock:
            self._screen.draw(self._lines())

    def _rest(self) -> None:
        with self._lock:
            self._screen.close()


class Lines(Counted):
    """Prints a line every so often, so that a log shows that it lives.

    Args:
        warn: prints a warning, once.
        tell: prints a line.
        each: seconds between lines.
    """

    def __init__(self, warn: Tell, tell: Tell, *, each: float = _LINE) -> None:
        super().__init__(warn)
        self._tell = tell
        self._each = each
        self._ticker: _Ticker | None = None

    def close(self) -> None:
        """Print nothing more."""
        self._rest()

    def _rest(self) -> None:
        ticker, self._ticker = self._ticker, None
        if ticker:
            ticker.end()

    def _begin(self) -> None:
        if self._ticker is None:
            self._ticker = _Ticker(self._each, self._print)
            self._ticker.begin()

    def _print(self) -> None:
        picture = self._board.picture()
        for row in picture.rows:
            if row.label and (row.speed is not None or not row.of_bytes):
                self._tell(f"{row.label}: {_told(row)}")
        if picture.total:
            self._tell(f"moved {_told(picture.total)}")


def _told(row: Row) -> str:
    """Write ``57.3MB of 612.4MB (9%), 8.2MB/s, 1:08 left``."""
    text = size_text(row.done) if row.of_bytes else str(row.done)
    if row.total is not None:
        whole = size_text(row.total) if row.of_bytes else str(row.total)
        text += f" of {whole} ({percent(row.done, row.total)}%)"
    if row.speed is not None:
        text += f", {size_text(int(row.speed))}/s"
    if row.left is not None:
        text += f", {time_text(row.left)} left"
    return text


class Events(Display):
    """Writes what happens as JSON, an object a line.

    Args:
        warn: prints a warning, once.
        put: writes an object as a line.
    """

    is_for_programs = True
    shows_retries = True

    def __init__(self, warn: Tell, put: Callable[[dict[str, object]], None]) -> None:
        super().__init__(warn)
        self._put = put
        self._throttle = Throttle()

    def image(self, name: str) -> Observer:
        """Return what writes the events of an image."""
        throttle = Throttle()
        names = [name]

        def write(event: Event) -> None:
            if isinstance(event, Planned) and not name:
                # Of several images, one after the other, each plan says which.
                names[:] = event.plan.names[:1] or [""]
            if throttle.lets(event):
                self._put(described(event, names[0]))

        return write

    def wait(self, wait: Wait) -> None:
        """Write that a wait begins, however short."""
        self._put(waiting(wait))

    def count(self, what: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        """Write how far something has come."""
        if self._throttle.lets_count(what, is_last=done == total):
            self._put(counted(what, done, total, of_bytes=of_bytes))
