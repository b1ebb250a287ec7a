"""How a run is ended from outside: by a signal, or by the time that it may take.

What belongs here: turning both into exceptions in the main thread, which leaves everything as
Ctrl-C
does: what was visible stays, what was not whole is not visible.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ghcrctl.errors import TimedOutError, UnsupportedError

if TYPE_CHECKING:
    from types import FrameType


class TerminatedError(BaseException):
    """SIGTERM came. No exception that code handles, as `KeyboardInterrupt` is none."""


def obey_sigterm() -> None:
    """End on SIGTERM as on Ctrl-C."""
    signal.signal(signal.SIGTERM, _terminate)


def limit_time(seconds: float) -> None:
    """End the run when it has taken so long.

    Raises:
        UnsupportedError: this system has no timer.
    """
    if not hasattr(signal, "setitimer"):
        raise UnsupportedError("--timeout needs a system with timers")

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TimedOutError(
            f"the command took longer than {seconds:g} s",
            hint="give it more time with --timeout; a transfer goes on where it stopped",
        )

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise TerminatedError
