"""A block of lines at the lower end of what a terminal shows, drawn over and over.

What belongs here: control sequences, and where the block is. What does not: what the lines say
(``drawing``). Whoever calls this holds one lock for all calls.

Only what changed is written, as one piece that terminals show at once where they can ("synchronized
output", mode 2026; others ignore it), so that nothing flickers. The size is asked for each time: a
terminal that became narrower has wrapped the lines of the block, and it is erased as it is now.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.style import Style, wants_colour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ghcrctl.cli.progress.render import Line

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_ERASE_LINE, _ERASE_BELOW, _UP = "\x1b[K", "\x1b[J", "\x1b[A"
_USUAL_SIZE = (80, 24)


class Screen:
    """Draws on a terminal.

    Args:
        stream: the terminal.
        environ: the environment: ``NO_COLOR``, and which terminal it is.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._style = Style(in_colour=wants_colour(environ, is_terminal=True))
        # These leave lines as they are when they become narrower, and cut them off.
        self._wraps = not ("XTERM_VERSION" in environ or "STY" in environ)
        self._columns = environ.get("COLUMNS", "")
        self._shown: list[tuple[str, int]] = []
        self._shown_at = (0, 0)
        self._is_hidden = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        columns, rows = 0, 0
        with suppress(OSError, ValueError):
            columns, rows = os.get_terminal_size(self._stream.fileno())
        told = int(self._columns) if self._columns.isascii() and self._columns.isdigit() else 0
        return columns or told or _USUAL_SIZE[0], rows or _USUAL_SIZE[1]

    def draw(self, lines: Sequence[Line]) -> None:
        """Put a block in the place of the one that is shown; an empty one only erases."""
        new = self._measured(lines)
        size = self.size
        if not new:
            self.erase()
        elif new != self._shown or size != self._shown_at:
            self._write(f"{_BEGIN}{self._drawn(new, size)}{_END}")

    def erase(self) -> None:
        """Take the block away; the cursor stands where it began."""
        if self._shown:
            self._write(self._erased(self.size))
            self._shown = []

    def above(self, stream: TextIO, text: str, lines: Callable[[], Sequence[Line]]) -> None:
        """Write a text where the block begins, and a new block below it.

        Args:
            stream: where the text belongs; on another terminal it is written as ever.
            text: the text; where it ends without a line feed, one is added.
            lines: gives the block.
        """
        if not self._shown or not self._is_same(stream):
            stream.write(text)
            stream.flush()
            return
        size = self.size
        # Over the old block, and in one piece with the new one: there is no moment without it.
        parts = [_BEGIN, self._to_top(size) if size == self._shown_at else self._erased(size)]
        parts += [f"{line}{_ERASE_LINE}\n" for line in text.removesuffix("\n").split("\n")]
        self._shown = []
        new = self._measured(lines())
        parts += [self._drawn(new, size) if new else "", _ERASE_BELOW, _END]
        self._write("".join(parts))

    def _is_same(self, stream: TextIO) -> bool:
        with suppress(OSError, ValueError):
            mine, other = (_terminal(each) for each in (self._stream, stream))
            return mine == other
        return stream is self._stream

    def close(self) -> None:
        """Take the block away, and show the cursor again."""
        self.erase()
        if self._is_hidden:
            self._is_hidden = False
            self._write(_SHOW)

    def _drawn(self, new: list[tuple[str, int]], size: tuple[int, int]) -> str:
        """Return what draws a block, over the one that is shown."""
        same_size = size == self._shown_at
        parts = [] if self._is_hidden else [_HIDE]
        # What the terminal made of the lines when its size changed, it alone knows.
        parts.append(self._to_top(size) if same_size else self._erased(size))
        for number, (text, _) in enumerate(new):
            if number:
                parts.append("\n")
            known = same_size and number < len(self._shown) and self._shown[number][0] == text
            if not known or number == len(new) - 1:
                parts.append(f"{text}{_ERASE_LINE}")
        if len(new) < len(self._shown):
            parts.append(_ERASE_BELOW)
        self._is_hidden, self._shown, self._shown_at = True, new, size
        return "".join(parts)

    def _to_top(self, size: tuple[int, int]) -> str:
        """Return what moves from the end of the block to its beginning."""
        rows = self._rows(size)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"

    def _erased(self, size: tuple[int, int]) -> str:
        """Return what erases the block, and moves to its beginning.

        Line by line: tmux, told to erase all from its upper left corner, keeps it in its history.
        """
        rows = self._rows(size)
        return f"\r{_ERASE_LINE}{f'{_UP}{_ERASE_LINE}' * (rows - 1)}" if rows else ""

    def _rows(self, size: tuple[int, int]) -> int:
        """Count the rows that the block takes."""
        columns, _ = size
        return sum(max(1, -(-width // columns)) if self._wraps else 1 for _, width in self._shown)

    def _measured(self, lines: Sequence[Line]) -> list[tuple[str, int]]:
        """Return each line as it is written, and its width."""
        paint = self._style.paint
        return [
            (
                "".join(paint(text, meaning) for text, meaning in line),
                sum(display_width(text) for text, _ in line),
            )
            for line in lines
        ]

    def _write(self, text: str) -> None:
        # A terminal that is gone is no reason to fail: what is shown is no result.
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _terminal(stream: TextIO) -> object:
    """Return what identifies the terminal that a stream belongs to."""
    found = os.fstat(stream.fileno())
    # Windows numbers no terminals, and a process has one console at most.
    return getattr(found, "st_rdev", stream.isatty())
