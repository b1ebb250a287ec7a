"""Notifications about delays: retries and rate limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.retry import OnRetry


@dataclass(frozen=True, slots=True)
class Wait:
    """A delay that starts now.

    Args:
        reason: reason of the delay, such as ``ghcr.io returned status 429``.
        seconds: length of the delay (seconds).
        code: code of the error that caused the delay, if any.
        attempt: number of the next attempt, counted from 1; 0 if nothing failed.
        attempts: maximum number of attempts; 0 if nothing failed.
    """

    reason: str
    seconds: float
    code: str = ""
    attempt: int = 0
    attempts: int = 0

    @property
    def verb(self) -> str:
        """The action after the delay."""
        return "retrying" if self.attempt else "continuing"

    @property
    def note(self) -> str:
        """The number of the next attempt as text to append; empty if nothing failed."""
        return attempt_note(self.attempt, self.attempts)


def attempt_note(attempt: int, attempts: int) -> str:
    """Return the number of the next attempt as text to append to a line."""
    return f" (attempt {attempt} of {attempts})" if attempt else ""


if TYPE_CHECKING:
    Waiting = Callable[[Wait], None]


def ignore_wait(_: Wait) -> None:
    """Ignore a delay."""


def report_retries(waiting: Waiting) -> OnRetry:
    """Return an ``on_retry`` callback for `retry` that reports each pause as a `Wait`."""
    return lambda error, pause: waiting(
        Wait(str(error), pause.seconds, error.code, pause.attempt, pause.attempts)
    )
