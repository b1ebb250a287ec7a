"""Draw the progress display at the bottom of a terminal with rich.

The display is a renderable that a hook of rich's ``Console`` prints below everything else. Callers
hold one lock for all calls. The size of the terminal is read for every frame, because a terminal
that became narrower has wrapped the lines that are on it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from rich.console import RenderHook
from rich.control import Control
from rich.live_render import LiveRender
from rich.segment import ControlType, Segment, Segments

from ghcrctl.cli.console import console_for
from ghcrctl.cli.format.style import style_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import (
        Console,
        ConsoleOptions,
        ConsoleRenderable,
        RenderableType,
        RenderResult,
    )

# Synchronized output (mode 2026): the terminal shows a frame in one step. Other terminals ignore
# the mode.
_BEGIN_FRAME = Segment("\x1b[?2026h", None, [(ControlType.BELL,)])
_END_FRAME = Segment("\x1b[?2026l", None, [(ControlType.BELL,)])
_ERASE_REST = Control((ControlType.ERASE_IN_LINE, 0)).segment
_ERASE_BELOW = Segment("\x1b[J", None, [(ControlType.CLEAR,)])
_DEFAULT_SIZE = (80, 24)


class _Block(LiveRender):
    """A display that knows which rows it occupies, even after the terminal was resized.

    Args:
        wraps: whether the terminal wraps lines when it becomes narrower. Otherwise it cuts them.
    """

    def __init__(self, *, wraps: bool) -> None:
        super().__init__("", vertical_overflow="crop")
        self._wraps = wraps
        self._lines: list[list[Segment]] = []
        self._shown: list[list[Segment]] = []
        self._shown_widths: list[int] = []
        self._shown_columns = 0

    def update(self, renderable: RenderableType | None, console: Console) -> bool:
        """Render the next frame; return whether it differs from the one on the terminal."""
        self.set_renderable(renderable or "")
        rendered = super().__rich_console__(console, console.options) if renderable else ()
        lines = Segment.split_lines(segment for segment in rendered if isinstance(segment, Segment))
        self._lines = [_without_trailing_blanks(line) for line in lines]
        return self._lines != self._shown or console.width != self._shown_columns

    def forget(self) -> None:
        """Start over with no frame of this display on the terminal."""
        self._shown, self._shown_widths = [], []

    @property
    def is_shown(self) -> bool:
        """Whether a frame is on the terminal."""
        return bool(self._shown)

    def to_top(self, columns: int) -> Control:
        """Return the control codes that move to the first row, for drawing over the frame."""
        up = self._rows(columns) - 1
        moves = [(ControlType.CURSOR_UP, up)] if up > 0 else []
        return Control(ControlType.CARRIAGE_RETURN, *moves)

    def erase(self, columns: int) -> Control:
        """Return the control codes that erase the frame and move to its first row.

        Lines are erased one by one: tmux copies a screen into its history when one command erases
        everything from the top left corner.
        """
        up_and_erase = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 0))
        return Control(
            ControlType.CARRIAGE_RETURN,
            (ControlType.ERASE_IN_LINE, 0),
            *up_and_erase * (self._rows(columns) - 1),
        )

    def _rows(self, columns: int) -> int:
        """Return how many rows the frame occupies on a terminal of this width."""
        if not self._wraps:
            return len(self._shown_widths)
        return sum(max(1, -(-width // columns)) for width in self._shown_widths)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines that changed, and move over the others."""
        known = self._shown if console.width == self._shown_columns else []
        for number, line in enumerate(self._lines):
            if number:
                yield Segment.line()
            is_last = number == len(self._lines) - 1
            if is_last or number >= len(known) or line != known[number]:
                yield from line
                yield _ERASE_REST
        yield _ERASE_BELOW
        self._shown, self._shown_columns = self._lines, console.width
        self._shown_widths = [Segment.get_line_length(line) for line in self._lines]


class Screen(RenderHook):
    """Draws the display on a terminal.

    Args:
        stream: the terminal.
        environ: the environment: ``NO_COLOR``, ``COLUMNS`` and which terminal it is.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._console = console_for(stream, style_of(stream, environ, _DEFAULT_SIZE[0]))
        self._console.push_render_hook(self)
        # xterm and screen cut lines when they become narrower.
        self._block = _Block(wraps=not ("XTERM_VERSION" in environ or "STY" in environ))
        self._columns_variable = environ.get("COLUMNS", "")
        self._is_cursor_hidden = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal now; ``COLUMNS`` counts only if it does not know."""
        columns, rows = 0, 0
        with suppress(OSError, ValueError):
            columns, rows = os.get_terminal_size(self._stream.fileno())
        variable = self._columns_variable
        given = int(variable) if variable.isascii() and variable.isdigit() else 0
        return columns or given or _DEFAULT_SIZE[0], rows or _DEFAULT_SIZE[1]

    def draw(self, renderable: RenderableType | None) -> None:
        """Replace the display; ``None`` only erases it."""
        self._read_size()
        if renderable is None:
            self.erase()
        elif self._block.update(renderable, self._console):
            self._print()

    def erase(self) -> None:
        """Erase the display and leave the cursor on its first row."""
        self._read_size()
        if self._block.is_shown:
            self._control(self._block.erase(self._console.width))
            self._block.forget()

    def above(
        self, stream: TextIO, text: str, renderable: Callable[[], RenderableType | None]
    ) -> None:
        """Write text above the display, together with a new frame.

        Args:
            stream: where the text belongs. Text for another terminal does not touch the display.
            text: the text. A missing line feed at its end is added.
            renderable: returns the display.
        """
        if not self._block.is_shown or not self._is_same_terminal(stream):
            stream.write(text)
            stream.flush()
            return
        self._read_size()
        top = self._block.to_top(self._console.width)
        self._block.forget()
        self._block.update(renderable(), self._console)
        lines = text.removesuffix("\n").split("\n")
        written = [
            piece for line in lines for piece in (Segment(line), _ERASE_REST, Segment.line())
        ]
        self._print(Segments([top.segment, *written]))

    def close(self) -> None:
        """Erase the display and show the cursor in one write: two could race with Ctrl-Z."""
        self._read_size()
        controls = []
        if self._block.is_shown:
            controls.append(self._block.erase(self._console.width))
            self._block.forget()
        if self._is_cursor_hidden:
            self._is_cursor_hidden = False
            controls.append(Control.show_cursor(show=True))
        if controls:
            self._control(*controls)

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Put what is printed, and the display below it, into one frame."""
        begin = [_BEGIN_FRAME]
        if not self._is_cursor_hidden:
            begin.append(Control.show_cursor(show=False).segment)
            self._is_cursor_hidden = True
        if self._block.is_shown:
            begin.append(self._block.to_top(self._console.width).segment)
        return [Segments(begin), *renderables, self._block, Segments([_END_FRAME])]

    def _print(self, *renderables: ConsoleRenderable) -> None:
        with self._until_terminal_is_lost():
            self._console.print(*renderables, end="", soft_wrap=True)

    def _control(self, *controls: Control) -> None:
        with self._until_terminal_is_lost():
            self._console.control(*controls)

    @contextmanager
    def _until_terminal_is_lost(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            # The work continues without a display. A quiet console also drops what it buffers.
            self._console.quiet = True

    def _read_size(self) -> None:
        self._console.size = self.size

    def _is_same_terminal(self, stream: TextIO) -> bool:
        with suppress(OSError, ValueError):
            return _terminal_of(self._stream) == _terminal_of(stream)
        return stream is self._stream


def _terminal_of(stream: TextIO) -> object:
    """Return a value that identifies the terminal of a stream."""
    status = os.fstat(stream.fileno())
    # Windows does not number terminals, and a process has at most one console.
    return getattr(status, "st_rdev", stream.isatty())


def _without_trailing_blanks(line: list[Segment]) -> list[Segment]:
    """Return a line without trailing spaces, which would wrap when the terminal narrows."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        last = kept[-1]
        kept[-1] = Segment(last.text.rstrip(), last.style, last.control)
    return kept
