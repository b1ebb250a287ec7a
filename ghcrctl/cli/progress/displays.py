"""Progress displays that need no terminal: nothing, lines in a log, or JSON events."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from ghcrctl.cli.progress.amounts import percent, size_text, time_text
from ghcrctl.cli.progress.board import Board
from ghcrctl.cli.progress.events import Throttle, count_document, event_document, wait_document
from ghcrctl.content.thread_waits import join
from ghcrctl.transfer.events import Planned, ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.progress.snapshot import Row
    from ghcrctl.content.wait_events import Wait
    from ghcrctl.transfer.events import Event, Observer

    Print = Callable[[str], None]

_LINE_SECONDS = 10.0
# Shorter waits are not reported.
_MINIMUM_WAIT_SECONDS = 2.0


class Display:
    """A display that shows no progress and reports long waits as warnings.

    Args:
        warn: prints a warning, once.
    """

    is_machine_readable = False
    # Whether retries are visible without a line for each.
    shows_retries = False

    def __init__(self, warn: Print) -> None:
        self._warn = warn

    @contextmanager
    def active(self) -> Iterator[None]:
        """Show transfers until the block ends."""
        yield

    def image_observer(self, name: str) -> Observer:
        """Return an observer for the events of an image."""
        del name
        return ignore

    def show_wait(self, wait: Wait) -> None:
        """Report a wait that begins."""
        if wait.seconds >= _MINIMUM_WAIT_SECONDS:
            self._warn(f"{wait.reason}; {wait.verb} in {wait.seconds:.0f} s{wait.note}")

    def show_count(
        self, label: str, done: int, total: int | None, *, of_bytes: bool = False
    ) -> None:
        """Set a counter that is not image content."""

    def hide_count(self, label: str | None = None) -> None:
        """Remove a counter, or all of them."""

    def write_above(self, stream: TextIO, text: str) -> None:
        """Write text to a terminal that may also show this display."""
        stream.write(text)
        stream.flush()

    def close(self) -> None:
        """Stop showing progress."""


class Ticker:
    """A thread that calls a function at a fixed interval.

    Args:
        seconds: the interval.
        act: the function.
    """

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start the thread unless it runs or has been stopped."""
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                thread = threading.Thread(target=self._run, name="progress", daemon=True)
                # Without a thread, the work continues without a progress display.
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def end(self) -> None:
        """Stop the thread and wait for it."""
        self._ended.set()
        with self._lock:
            if self._thread:
                join(self._thread)

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._act()


class BoardDisplay(Display):
    """A display that keeps showing the state of a board; subclasses decide how."""

    def __init__(self, warn: Print) -> None:
        super().__init__(warn)
        self._board = Board()
        self._depth = 0

    @contextmanager
    def active(self) -> Iterator[None]:
        """Show transfers until the outermost block ends; then remove the display."""
        self._depth += 1
        self._begin()
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._board.reset()
                self._pause()

    def image_observer(self, name: str) -> Observer:
        """Return an observer for the events of an image."""
        del name
        return self._board.image()

    def show_count(
        self, label: str, done: int, total: int | None, *, of_bytes: bool = False
    ) -> None:
        """Set a counter."""
        self._board.count(label, done, total, of_bytes=of_bytes)
        self._begin()

    def hide_count(self, label: str | None = None) -> None:
        """Remove a counter, or all of them, immediately, since a prompt may follow."""
        self._board.uncount(label)
        if not self._depth:
            self._pause()

    def _begin(self) -> None:
        """Show the board, unless it is shown already."""
        raise NotImplementedError

    def _pause(self) -> None:
        """Stop showing the board until `_begin` is called again."""
        raise NotImplementedError


class Lines(BoardDisplay):
    """A display that prints a line at a fixed interval so that a log shows activity.

    Args:
        warn: prints a warning, once.
        print_line: prints a line.
        seconds: the interval.
    """

    def __init__(self, warn: Print, print_line: Print, *, seconds: float = _LINE_SECONDS) -> None:
        super().__init__(warn)
        self._print_line = print_line
        self._seconds = seconds
        self._ticker: Ticker | None = None

    def close(self) -> None:
        """Stop printing."""
        self._pause()

    def _pause(self) -> None:
        ticker, self._ticker = self._ticker, None
        if ticker:
            ticker.end()

    def _begin(self) -> None:
        if self._ticker is None:
            self._ticker = Ticker(self._seconds, self._print)
            self._ticker.begin()

    def _print(self) -> None:
        snapshot = self._board.snapshot()
        for row in snapshot.rows:
            if row.label and (row.speed is not None or not row.of_bytes):
                self._print_line(f"{row.label}: {_text(row)}")
        if snapshot.total:
            self._print_line(f"transferred {_text(snapshot.total)}")


def _text(row: Row) -> str:
    """Return ``57.3MB of 612.4MB (9%), 8.2MB/s, 1:08 left``."""
    text = size_text(row.done) if row.of_bytes else str(row.done)
    if row.total is not None:
        total = size_text(row.total) if row.of_bytes else str(row.total)
        text += f" of {total} ({percent(row.done, row.total)}%)"
    if row.speed is not None:
        text += f", {size_text(int(row.speed))}/s"
    if row.left is not None:
        text += f", {time_text(row.left)} left"
    return text


class Events(Display):
    """A display that writes events as JSON, one object per line.

    Args:
        warn: prints a warning, once.
        write: writes an object as a line.
    """

    is_machine_readable = True
    shows_retries = True

    def __init__(self, warn: Print, write: Callable[[dict[str, object]], None]) -> None:
        super().__init__(warn)
        self._write = write
        self._throttle = Throttle()

    def image_observer(self, name: str) -> Observer:
        """Return an observer that writes the events of an image."""
        throttle = Throttle()
        names = [name]

        def write(event: Event) -> None:
            if isinstance(event, Planned) and not name:
                # One observer can follow multiple images in turn; each plan names its image.
                names[:] = event.plan.names[:1] or [""]
            if throttle.allows(event):
                self._write(event_document(event, names[0]))

        return write

    def show_wait(self, wait: Wait) -> None:
        """Write an event for a wait that begins, no matter how short."""
        self._write(wait_document(wait))

    def show_count(
        self, label: str, done: int, total: int | None, *, of_bytes: bool = False
    ) -> None:
        """Write the state of a counter."""
        if self._throttle.allows_count(label, is_last=done == total):
            self._write(count_document(label, done, total, of_bytes=of_bytes))
