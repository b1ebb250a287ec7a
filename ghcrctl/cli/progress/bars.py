"""The display with a bar for each layer, on a terminal."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ghcrctl.cli.progress.displays import BoardDisplay, Ticker
from ghcrctl.cli.progress.render import render
from ghcrctl.cli.progress.suspend import Suspension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from ghcrctl.cli.progress.screen import Screen
    from ghcrctl.content.wait_events import Wait

_FRAME_SECONDS = 0.2


class Bars(BoardDisplay):
    """A display that draws bars on a terminal.

    Args:
        warn: prints a warning, once.
        screen: the terminal.
        ellipsis: marks text that was cut.
    """

    shows_retries = True

    def __init__(self, warn: Callable[[str], None], screen: Screen, ellipsis: str) -> None:
        super().__init__(warn)
        self._screen = screen
        self._ellipsis = ellipsis
        self._lock = threading.Lock()
        self._ticker = Ticker(_FRAME_SECONDS, self._draw)
        self._suspension = Suspension(self._pause)

    def show_wait(self, wait: Wait) -> None:
        """Show a countdown."""
        self._board.wait(wait)
        self._begin()

    def write_above(self, stream: TextIO, text: str) -> None:
        """Write text above the bars, together with a new frame."""
        with self._locked():
            self._screen.above(stream, text, self._frame)

    def close(self) -> None:
        """Restore the terminal."""
        self._ticker.end()
        self._pause()
        self._suspension.end()

    def _begin(self) -> None:
        self._suspension.begin()
        self._ticker.begin()

    def _frame(self) -> RenderableType | None:
        columns, rows = self._screen.size
        return render(self._board.snapshot(), columns, rows, self._ellipsis)

    def _draw(self) -> None:
        with self._locked():
            self._screen.draw(self._frame())

    def _pause(self) -> None:
        with self._locked():
            self._screen.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Allow one thread to write at a time; Ctrl-Z waits until the write is complete."""
        with self._suspension.deferred(), self._lock:
            yield
