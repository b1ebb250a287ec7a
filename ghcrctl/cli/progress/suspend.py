"""Restore the terminal before Ctrl-Z stops the process."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Suspension:
    """A handler of Ctrl-Z.

    Args:
        restore: restores the terminal.
    """

    def __init__(self, restore: Callable[[], None]) -> None:
        self._restore = restore
        self._is_handling = False
        self._deferrals = 0
        self._is_pending = False

    def begin(self) -> None:
        """Handle the signal, unless other code handles it; only the main thread can."""
        if self._is_handling or not _is_main_thread():
            return
        if hasattr(signal, "SIGTSTP") and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._handle)
            self._is_handling = True

    def end(self) -> None:
        """Restore the default action of the signal."""
        if self._is_handling and hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            self._is_handling = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Delay the signal until the block ends.

        Python runs signal handlers in the main thread, between two instructions. A handler that
        interrupted a write to the terminal would wait for a lock that its own thread holds.
        """
        if not _is_main_thread():
            yield
            return
        self._deferrals += 1
        try:
            yield
        finally:
            self._deferrals -= 1
            if self._is_pending and not self._deferrals:
                self._is_pending = False
                self._stop()

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._deferrals:
            self._is_pending = True
        else:
            self._stop()

    def _stop(self) -> None:
        self._restore()
        if hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            # The process stops here, and continues here on SIGCONT.
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self._handle)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
