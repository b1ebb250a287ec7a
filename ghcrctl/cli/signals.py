"""Turn signals and time limits into exceptions in the main thread.

The run then ends as after Ctrl-C: nothing incomplete becomes visible.
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

# Time for the main thread to end the run itself.
_GRACE_SECONDS = 2.0
_is_done = threading.Event()


class EndedError(BaseException):
    """A signal or time limit ended the run; like `KeyboardInterrupt`, not an `Exception`."""


class TerminatedError(EndedError):
    """The process received SIGTERM; on Windows, Ctrl-Break or a closed console."""


class TimeIsUpError(EndedError):
    """The run exceeded its time limit.

    Attributes:
        reason: the error to report.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.reason = TimedOutError(
            f"the command took longer than {seconds:g} s",
            hint="increase --timeout; a transfer continues where it stopped",
        )


def handle_sigterm() -> None:
    """End the run on SIGTERM as on Ctrl-C.

    On Windows, Python reports Ctrl-Break, a closed console, logoff and shutdown as SIGBREAK, which
    by default ends the process immediately.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGBREAK"):
        signal.signal(signal.SIGBREAK, _terminate)


def limit_time(seconds: float, report: Callable[[GhcrctlError], int]) -> None:
    """End the run after a time limit.

    Args:
        seconds: the limit, from now on (seconds).
        report: reports an error and returns its exit status. It is called if the main thread
            blocks in a call that no signal interrupts, which happens on Windows.
    """
    _is_done.clear()
    if hasattr(signal, "setitimer"):
        _limit_by_timer(seconds)
    else:
        _limit_by_thread(seconds, report)


def end_time_limit() -> None:
    """Remove the time limit because the command is done.

    While Python shuts down, the signal would kill the process.
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
    """Start a thread that interrupts the main thread at the limit, and later ends the process."""
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
        # The main thread normally ends the run itself.
        if _is_done.wait(_GRACE_SECONDS):
            return
        status = report(TimeIsUpError(seconds).reason)
        discard_unfinished()
        os._exit(status)

    signal.signal(signal.SIGINT, interrupted)
    threading.Thread(target=watch, name="time limit", daemon=True).start()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise TerminatedError
