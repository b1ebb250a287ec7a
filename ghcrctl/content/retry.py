"""The retry policy and the retry loop. Only errors marked as retryable are retried."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ghcrctl.errors import DigestMismatchError, GhcrctlError, SizeMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts and the delays between them.

    Args:
        attempts: maximum number of attempts, including the first.
        base: delay before the second attempt; each further delay doubles (seconds).
        cap: maximum delay, unless the host requests a longer one (seconds).
        longest: give up if the host requests a longer delay (seconds).
        longest_limit: the same for rate limits with documented delays of minutes (seconds).
    """

    attempts: int = 5
    base: float = 0.5
    cap: float = 20.0
    longest: float = 120.0
    longest_limit: float = 900.0

    def delay(self, attempt: int, error: GhcrctlError) -> float | None:
        """Return the delay after a failed attempt, or ``None`` to give up.

        Delays have jitter over their upper half so that many clients do not retry at the same
        time. A delay requested by the host is a lower bound.

        Args:
            attempt: number of the failed attempt, counted from 1.
            error: its error.

        Returns:
            The delay (seconds).
        """
        if not error.retryable or attempt >= self.attempts:
            return None
        ours = min(self.cap, self.base * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 jitter
        if error.least_wait is None:
            requested = error.retry_after or 0.0
            return None if requested > self.longest else max(ours, requested)
        growing = min(error.least_wait * 2 ** (attempt - 1), self.longest_limit)
        requested = growing if error.retry_after is None else error.retry_after
        return None if requested > self.longest_limit else max(ours, requested)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause between two attempts.

    Args:
        seconds: length of the pause (seconds).
        attempt: number of the next attempt, counted from 1.
        attempts: maximum number of attempts.
    """

    seconds: float
    attempt: int
    attempts: int


if TYPE_CHECKING:
    OnRetry = Callable[[GhcrctlError, Pause], None]


@dataclass(slots=True)
class _Loop:
    """A running retry loop.

    Args:
        failures: failed attempts without progress, including those of nested loops.
        nested: failed attempts of nested loops during the current call.
    """

    failures: int = 0
    nested: int = 0


class _Running(threading.local):
    """The innermost retry loop of each thread."""

    loop: _Loop | None = None


_running = _Running()


def used_attempts() -> int:
    """Return the failed attempts of the surrounding loop since its last progress."""
    return _running.loop.failures if _running.loop else 0


def note_failure(count: int = 1) -> None:
    """Add failed attempts to the surrounding loop, which counts them if it makes no progress."""
    if _running.loop:
        _running.loop.nested += count


def retry(
    function: Callable[[], Result],
    policy: RetryPolicy,
    *,
    on_retry: OnRetry | None = None,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[], int] = lambda: 0,
) -> Result:
    """Call a function until it succeeds or the policy gives up, then raise its last error.

    The raised error is no longer retryable so that callers do not retry again. Corrupted content
    does not count as an attempt: if its source can fetch it again, this happens immediately.

    The attempts of nested loops count as attempts of this loop unless the call made progress. This
    way, nested loops do not multiply attempts.

    Args:
        function: performs the whole operation at each call.
        policy: number of attempts and delays.
        on_retry: called with the error and the pause, before the pause.
        sleep: waits for a number of seconds; may raise an exception to stop.
        progress: returns the progress of the operation as an increasing number.
    """
    outer, loop = _running.loop, _Loop(used_attempts())
    attempt = loop.failures
    while True:
        attempt += 1
        before, loop.nested = progress(), 0
        _running.loop = loop
        try:
            return function()
        except GhcrctlError as error:
            if error.retryable and isinstance(error, DigestMismatchError | SizeMismatchError):
                attempt -= 1
                if on_retry:
                    on_retry(error, Pause(0, 0, 0))
                continue
            attempt += _count(loop, has_progress=progress() > before)
            delay = policy.delay(attempt, error)
            if delay is None:
                error.retryable = False
                raise
            if on_retry:
                on_retry(error, Pause(delay, attempt + 1, policy.attempts))
        finally:
            _running.loop = outer
            note_failure(loop.nested)
        note_failure()
        sleep(delay)


def _count(loop: _Loop, *, has_progress: bool) -> int:
    """Count a failed call; return the number of additional attempts in nested loops."""
    loop.failures = 0 if has_progress else loop.failures + 1 + loop.nested
    return 0 if has_progress else loop.nested
