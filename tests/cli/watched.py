"""ghcrctl on an emulated terminal, whose size and content tests control."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shell import Shell

_PATIENCE = 30.0
# Terminals with synchronized output show the previous content until this sequence.
_END_OF_FRAME = b"\x1b[?2026l"


class Watched:
    """A command on a terminal.

    Args:
        shell: the shell whose environment and folder are used.
        arguments: the command line.
        size: columns and rows.
    """

    def __init__(self, shell: Shell, *arguments: str, size: tuple[int, int] = (80, 24)) -> None:
        columns, rows = size
        # For terminals that cut lines when they become narrower, like this one.
        told = {"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"}
        environ = {k: v for k, v in shell.environ.items() if k != "COLUMNS"} | told
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.frames: list[list[str]] = []
        self._leader, follower = pty.openpty()
        self._set_size(columns, rows)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ghcrctl", *arguments],
            env=environ,
            cwd=shell.folder,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)

    @property
    def lines(self) -> list[str]:
        """The shown lines, without empty lines at the end."""
        shown = [line.rstrip() for line in self.screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def shows_cursor(self) -> bool:
        return not self.screen.cursor.hidden

    def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the lines meet a condition, and return them."""
        end = time.monotonic() + _PATIENCE
        while not holds(self.lines):
            assert time.monotonic() < end, self.lines
            assert self._read(), self.lines
        return self.lines

    def resize(self, columns: int, rows: int) -> None:
        self._set_size(columns, rows)
        self.screen.resize(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def press(self, key: str) -> None:
        os.write(self._leader, key.encode())

    def ended(self) -> int:
        """Wait for the end and return the exit status."""
        while self._read():
            pass
        os.close(self._leader)
        return self.process.wait(timeout=_PATIENCE)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> bool:
        ready, _, _ = select.select([self._leader], [], [], _PATIENCE)
        try:
            some = os.read(self._leader, 65536) if ready else b""
        except OSError:
            # Linux reports the closed other end with this error.
            return False
        self.raw += some
        *frames, rest = some.split(_END_OF_FRAME)
        for frame in frames:
            self._stream.feed(frame + _END_OF_FRAME)
            self.frames.append(self.lines)
        self._stream.feed(rest)
        return bool(some)
