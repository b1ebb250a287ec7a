"""The whole terminal for a while: keys read one by one, lines written in place.

What belongs here: the terminal. What does not: what keys do, and what lines say (``picker``).
"""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

# The other screen that terminals have, without the cursor, and where lines that are too long for it
# are cut off, not wrapped; and back.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
_SIZE_CHECK_SECONDS = 0.2
# Seconds for the rest of a key that comes in pieces, as over a slow line; what begins one.
_REST = 0.05
_BEGINNING = re.compile(rb"\x1b(?:[\[O][0-9;?]*)?\Z|[\xc2-\xf4][\x80-\xbf]{0,2}\Z")
_USUAL_SIZE = os.terminal_size((80, 24))
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Key(Enum):
    """A key that is no character."""

    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    HOME = auto()
    END = auto()
    ENTER = auto()
    ESCAPE = auto()
    BACKSPACE = auto()


# What terminals send (xterm's control sequences), and what Windows does (_getwch's prefix).
_KEYS = {
    "\x1b[A": Key.UP,
    "\x1bOA": Key.UP,
    "\xe0H": Key.UP,
    "\x1b[B": Key.DOWN,
    "\x1bOB": Key.DOWN,
    "\xe0P": Key.DOWN,
    "\x1b[5~": Key.PAGE_UP,
    "\xe0I": Key.PAGE_UP,
    "\x1b[6~": Key.PAGE_DOWN,
    "\xe0Q": Key.PAGE_DOWN,
    "\x1b[H": Key.HOME,
    "\x1b[1~": Key.HOME,
    "\x1bOH": Key.HOME,
    "\xe0G": Key.HOME,
    "\x1b[F": Key.END,
    "\x1b[4~": Key.END,
    "\x1bOF": Key.END,
    "\xe0O": Key.END,
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x1b": Key.ESCAPE,
    "\x7f": Key.BACKSPACE,
    "\x08": Key.BACKSPACE,
}
_PIECES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z~]|\x1bO.|\xe0[GHIOPQ]|.", re.DOTALL)


def keys_of(text: str) -> Iterator[Key | str]:
    """Tell keys apart in what a terminal sent at once; those that nobody knows are left out."""
    for piece in _PIECES.findall(text):
        if piece in _KEYS:
            yield _KEYS[piece]
        elif len(piece) == 1 and piece.isprintable():
            yield piece


class Screen:
    """The screen, while it is ours.

    Args:
        stream: the terminal.
        lines: makes the lines for so many columns and rows.
    """

    def __init__(self, stream: TextIO, lines: Callable[[int, int], Sequence[str]]) -> None:
        self._stream = stream
        self._lines = lines
        # When it was drawn last: it may change before one waits for keys.
        self._size = os.terminal_size((0, 0))

    def draw(self) -> None:
        """Write all lines anew, in one go."""
        size = self._size = self._size_now()
        # What erases the rest of a line would take its last sign with it at the very edge.
        lines = self._lines(max(size.columns - 1, 1), size.lines)[: size.lines]
        text = f"{_REST_OF_LINE}\n".join(lines)
        self._stream.write(f"{_HOME}{text}{_REST_OF_LINE}{_REST_OF_SCREEN}")
        self._stream.flush()

    def pressed(self) -> Iterator[Key | str]:
        """Yield keys as they are pressed, and draw before each wait.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
        """
        while True:
            self.draw()
            text = self._typed()
            if not text or "\x03" in text or "\x04" in text:
                # Ctrl-C, Ctrl-D, or a terminal that is gone.
                raise KeyboardInterrupt
            yield from keys_of(text)

    def _typed(self) -> str:
        """Wait for keys, and follow the size of the terminal; return what keys send."""
        if sys.platform == "win32":
            import msvcrt

            while not msvcrt.kbhit():
                time.sleep(_SIZE_CHECK_SECONDS)
                self._follow_size()
            return click.getchar()
        import select

        # A signal reports a new size too, but it can interrupt any write.
        while not select.select([sys.stdin], [], [], _SIZE_CHECK_SECONDS)[0]:
            self._follow_size()
        # Not through a buffer, which would wait for a line.
        typed = os.read(sys.stdin.fileno(), 1024)
        while _BEGINNING.search(typed) and select.select([sys.stdin], [], [], _REST)[0]:
            more = os.read(sys.stdin.fileno(), 1024)
            if not more:
                break
            typed += more
        return typed.decode("utf-8", "replace")

    def _follow_size(self) -> None:
        """Draw again if the size of the terminal changed."""
        if self._size_now() != self._size:
            self.draw()

    def _size_now(self) -> os.terminal_size:
        """Return the size of the terminal itself: standard output may be another, or a pipe."""
        with suppress(OSError, ValueError):
            size = os.get_terminal_size(self._stream.fileno())
            if size.columns and size.lines:
                return size
        return _USUAL_SIZE

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the screen, and give it back as it was."""
        try:
            with _key_by_key():
                self._stream.write(_ENTER)
                yield
        finally:
            self._stream.write(_LEAVE)
            self._stream.flush()


@contextmanager
def _key_by_key() -> Iterator[None]:
    """Make the terminal hand on each key at once, unseen, whatever was typed ahead too."""
    if sys.platform == "win32":
        yield
    else:
        import termios

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        wanted = termios.tcgetattr(terminal)
        wanted[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(terminal, termios.TCSADRAIN, wanted)
        try:
            yield
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
