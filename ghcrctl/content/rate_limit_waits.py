"""Waits, for whoever watches: what is waited for, and how long.

What belongs here: a wait as a value, told as it begins. What does not: when to wait (``retry``, and
those who talk to hosts), and how people see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.retry import OnRetry


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that starts now and ends by itself.

    Args:
        reason: what makes it wait, for people: ``ghcr.io answers with status 429``.
        seconds: how long it takes.
        code: the code of the error that makes it wait, where there is one.
        attempt: the attempt that follows, counted from 1; 0 where nothing failed.
        attempts: how many attempts there are in all; 0 where nothing failed.
    """

    reason: str
    seconds: float
    code: str = ""
    attempt: int = 0
    attempts: int = 0

    @property
    def verb(self) -> str:
        """What follows the wait."""
        return "retrying" if self.attempt else "continuing"

    @property
    def note(self) -> str:
        """Which attempt follows, for the end of a line; empty where nothing failed."""
        return attempt_note(self.attempt, self.attempts)


def attempt_note(attempt: int, attempts: int) -> str:
    """Return which attempt of how many follows, for the end of a line."""
    return f" (attempt {attempt} of {attempts})" if attempt else ""


if TYPE_CHECKING:
    Waiting = Callable[[Wait], None]


def untold(_: Wait) -> None:
    """Tell nobody."""


def telling(waiting: Waiting) -> OnRetry:
    """Return what tells of the waits of ``retry``: its ``on_retry``."""
    return lambda error, pause: waiting(
        Wait(str(error), pause.seconds, error.code, pause.attempt, pause.attempts)
    )
