"""Ctrl-Z while bars are drawn: the shell gets back a terminal as it was.

What belongs here: the signals of being stopped and of going on.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Suspending:
    """Obeys Ctrl-Z, after something else was done.

    Args:
        rest: leaves the terminal as it was.
    """

    def __init__(self, rest: Callable[[], None]) -> None:
        self._rest = rest
        self._obeys = False

    def begin(self) -> None:
        """Begin, where nobody else looks after the signal; only a main thread can."""
        if self._obeys or threading.current_thread() is not threading.main_thread():
            return
        if hasattr(signal, "SIGTSTP") and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._stop)
            self._obeys = True

    def end(self) -> None:
        """Leave the signal to itself again."""
        if self._obeys and hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            self._obeys = False

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._rest()
        signal.signal(number, signal.SIG_DFL)
        # Here the process is stopped, and here it goes on.
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)
