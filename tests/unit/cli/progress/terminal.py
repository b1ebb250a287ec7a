"""A terminal in memory that interprets control sequences."""

from __future__ import annotations

import io

import pyte


class Terminal(io.StringIO):
    """A stream that is a terminal with UTF-8.

    Args:
        columns: its width.
        rows: its height.
        wraps: whether it wraps lines when it becomes narrower, like most terminals, or cuts them.
    """

    def __init__(self, columns: int = 80, rows: int = 24, *, wraps: bool = True) -> None:
        super().__init__()
        self.wraps = wraps
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.Stream(self.screen)
        self.writes: list[str] = []

    def write(self, text: str, /) -> int:
        self.writes.append(text)
        self._stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def size(self) -> tuple[int, int]:
        return self.screen.columns, self.screen.lines

    def resize(self, columns: int, rows: int) -> None:
        """Change the size: wrap the lines up to the cursor again, or cut them."""
        if not self.wraps:
            self.screen.resize(rows, columns)
            return
        lines = self.screen.display[: self.screen.cursor.y + 1]
        hidden = self.screen.cursor.hidden
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.screen.cursor.hidden = hidden
        self._stream = pyte.Stream(self.screen)
        self._stream.feed("\r\n".join(line.rstrip() for line in lines))

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without empty ones at the end."""
        shown = [line.rstrip() for line in self.screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def shows_cursor(self) -> bool:
        return not self.screen.cursor.hidden
