"""How a run is ended from outside: by a signal, or by the time that it may take.

What belongs here: turning both into exceptions in the main thread, which leaves everything as
Ctrl-C does: what was visible stays, what was not whole is not visible.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from ghcrctl.errors import TimedOutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ghcrctl.errors import GhcrctlError

# Seconds that the main thread has to notice that the time is over.
_GRACE = 2.0
_is_done = threading.Event()


class EndedError(BaseException):
    """The run ends from outside. No exception that code handles, as `KeyboardInterrupt` is none."""


class TerminatedError(EndedError):
    """SIGTERM came, or on Windows Ctrl-Break or the end of the console."""


class TimeIsUpError(EndedError):
    """The run took too long; where one of several things takes long, all of them end.

    Attributes:
        reason: what the person is told.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.reason = TimedOutError(
            f"the command took longer than {seconds:g} s",
            hint="give it more time with --timeout; a transfer goes on where it stopped",
        )


def obey_sigterm() -> None:
    """End on SIGTERM as on Ctrl-C.

    Windows sends no SIGTERM. Python turns Ctrl-Break, a closed console window, logging off and
    shutting down into SIGBREAK there, whose default would end the process at once.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGBREAK"):
        signal.signal(signal.SIGBREAK, _terminate)


def limit_time(seconds: float, report: Callable[[GhcrctlError], int]) -> None:
    """End the run when it has taken so long.

    Args:
        seconds: from now on.
        report: tells of an error and returns its exit status; for a main thread that waits for
            something that no signal ends, as on Windows.
    """
    _is_done.clear()
    if hasattr(signal, "setitimer"):
        _limit_by_timer(seconds)
    else:
        _limit_by_thread(seconds, report)


def end_time_limit() -> None:
    """Let the run take its time from here on: its work is done.

    While Python shuts down, the signal would kill the process, whatever its result.
    """
    _is_done.set()
    if hasattr(signal, "setitimer"):
        _set_timer(0)


def _limit_by_timer(seconds: float) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise TimeIsUpError(seconds)

    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, end)
    _set_timer(seconds)


def _set_timer(seconds: float) -> None:
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_by_thread(seconds: float, report: Callable[[GhcrctlError], int]) -> None:
    """Let a thread watch the time, which interrupts the main thread, then ends the process."""
    is_over = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        if is_over.is_set():
            raise TimeIsUpError(seconds)
        signal.default_int_handler(number, frame)

    def watch() -> None:
        from ghcrctl.disk.unfinished_files import discard_unfinished

        if _is_done.wait(seconds):
            return
        is_over.set()
        signal.raise_signal(signal.SIGINT)
        # A main thread that has noticed ends the run itself.
        if _is_done.wait(_GRACE):
            return
        status = report(TimeIsUpError(seconds).reason)
        discard_unfinished()
        os._exit(status)

    signal.signal(signal.SIGINT, interrupted)
    threading.Thread(target=watch, name="time limit", daemon=True).start()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise TerminatedError
