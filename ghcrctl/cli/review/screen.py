"""Use the whole screen of a terminal: read single keys and redraw lines."""

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

# Switch to the alternate screen, hide the cursor, and cut long lines instead of wrapping them.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
_SIZE_CHECK_SECONDS = 0.2
# A slow connection can deliver the sequence of one key in parts.
_REST_OF_KEY_SECONDS = 0.05
_INCOMPLETE_KEY = re.compile(rb"\x1b(?:[\[O][0-9;?]*)?\Z|[\xc2-\xf4][\x80-\xbf]{0,2}\Z")
_DEFAULT_SIZE = os.terminal_size((80, 24))
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Key(Enum):
    """A key without a character."""

    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    HOME = auto()
    END = auto()
    ENTER = auto()
    ESCAPE = auto()
    BACKSPACE = auto()


# Sequences of terminals (xterm's control sequences) and of the Windows console (the prefix of
# _getwch).
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
    """Split input of a terminal into keys; unknown keys are ignored."""
    for piece in _PIECES.findall(text):
        if piece in _KEYS:
            yield _KEYS[piece]
        elif len(piece) == 1 and piece.isprintable():
            yield piece


class Screen:
    """The screen of a terminal.

    Args:
        stream: the terminal.
        lines: returns the lines for a number of columns and rows.
    """

    def __init__(self, stream: TextIO, lines: Callable[[int, int], Sequence[str]]) -> None:
        self._stream = stream
        self._lines = lines
        # The size of the last frame. It can change before the wait for keys begins.
        self._size = os.terminal_size((0, 0))

    def draw(self) -> None:
        """Write all lines at once."""
        size = self._size = self._size_now()
        # Erasing the rest of a full line would erase its last character.
        lines = self._lines(max(size.columns - 1, 1), size.lines)[: size.lines]
        text = f"{_REST_OF_LINE}\n".join(lines)
        self._stream.write(f"{_HOME}{text}{_REST_OF_LINE}{_REST_OF_SCREEN}")
        self._stream.flush()

    def pressed(self) -> Iterator[Key | str]:
        """Yield pressed keys, and draw before each wait.

        Raises:
            KeyboardInterrupt: the key was Ctrl-C or Ctrl-D, or the terminal is gone.
        """
        while True:
            self.draw()
            text = self._typed()
            if not text or "\x03" in text or "\x04" in text:
                raise KeyboardInterrupt
            yield from keys_of(text)

    def _typed(self) -> str:
        """Wait for keys and redraw after a resize; return the input."""
        if sys.platform == "win32":
            import msvcrt

            while not msvcrt.kbhit():
                time.sleep(_SIZE_CHECK_SECONDS)
                self._follow_size()
            return click.getchar()
        else:  # noqa: RET505 mypy skips one branch per system
            import select

            # A signal reports a new size too, but it can interrupt any write.
            while not select.select([sys.stdin], [], [], _SIZE_CHECK_SECONDS)[0]:
                self._follow_size()
            # A buffered read would wait for a whole line.
            typed = os.read(sys.stdin.fileno(), 1024)
            while (
                _INCOMPLETE_KEY.search(typed)
                and select.select([sys.stdin], [], [], _REST_OF_KEY_SECONDS)[0]
            ):
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
        """Return the size of this terminal; standard output can be another one, or a pipe."""
        with suppress(OSError, ValueError):
            size = os.get_terminal_size(self._stream.fileno())
            if size.columns and size.lines:
                return size
        return _DEFAULT_SIZE

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Use the screen until the block ends, then restore it."""
        try:
            with _raw_keys():
                self._stream.write(_ENTER)
                yield
        finally:
            self._stream.write(_LEAVE)
            self._stream.flush()


@contextmanager
def _raw_keys() -> Iterator[None]:
    """Turn off line input and echo; keys that were typed before are kept."""
    if sys.platform == "win32":
        yield
    else:
        import termios

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        raw = termios.tcgetattr(terminal)
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(terminal, termios.TCSADRAIN, raw)
        try:
            yield
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
