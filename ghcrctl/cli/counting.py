"""How far a long act of many small ones has come: a line that is written anew, on a terminal.

What belongs here: the line, with the time left. Off a terminal it is silent but for a line every
half minute, so that a job's log shows that it lives.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_EACH, _EACH_IN_LOG = 0.1, 30.0
_CLEAR = "\r\x1b[K"


class Counting:
    """Shows how far something has come, on stderr; it is a `loading.Progress`.

    Args:
        quiet: show nothing.
        clock: seconds, of a clock that never goes back.
    """

    def __init__(self, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet = quiet
        self._clock = clock
        self._is_live = sys.stderr.isatty()
        self._what = ""
        self._began = self._last = clock()
        self._is_shown = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note."""
        now = self._clock()
        if what != self._what:
            self._what, self._began = what, now
            self._last = now if not self._is_live else 0.0
        each = _EACH if self._is_live else _EACH_IN_LOG
        if self._quiet or total < 2 or now - self._last < each:
            return
        self._last = now
        text = f"{what}: {done} of {total}{self._left(now, done, total)}"
        if self._is_live:
            sys.stderr.write(f"{_CLEAR}{text}")
            self._is_shown = True
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def _left(self, now: float, done: int, total: int) -> str:
        took = now - self._began
        if not done or took < 1:
            return ""
        left = round(took / done * (total - done))
        hours, rest = divmod(left, 3600)
        return (
            f", {hours}:{rest // 60:02}:{rest % 60:02} left"
            if hours
            else (f", {rest // 60}:{rest % 60:02} left")
        )

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._is_shown = False
