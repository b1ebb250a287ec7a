"""When to try again, and how long to wait first.

What belongs here: the policy, as a value, and the loop that obeys it. What does not: what is tried.
Only errors that are marked retryable are retried.
"""

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
    """How often and how patiently.

    Args:
        attempts: how many times in all, the first included.
        base: seconds of the first wait; each further wait doubles.
        cap: seconds that no wait of our own exceeds.
        longest: seconds; where a host asks for a longer wait than this, the error stands at once.
        longest_limit: the same for rate limits whose waits are minutes by their documentation.
    """

    attempts: int = 5
    base: float = 0.5
    cap: float = 20.0
    longest: float = 120.0
    longest_limit: float = 900.0

    def delay(self, attempt: int, error: GhcrctlError) -> float | None:
        """Return the seconds to wait after a failed attempt (counted from 1), ``None`` to give up.

        Our own waits are jittered over their upper half, so that many clients do not come back at
        one moment. What a host asks for is a lower bound.
        """
        if not error.retryable or attempt >= self.attempts:
            return None
        ours = min(self.cap, self.base * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 jitter
        if error.least_wait is None:
            asked = error.retry_after or 0.0
            return None if asked > self.longest else max(ours, asked)
        growing = min(error.least_wait * 2 ** (attempt - 1), self.longest_limit)
        asked = growing if error.retry_after is None else error.retry_after
        return None if asked > self.longest_limit else max(ours, asked)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause between two attempts.

    Args:
        seconds: how long it takes.
        attempt: the attempt that follows, counted from 1.
        attempts: how many attempts there are in all.
    """

    seconds: float
    attempt: int
    attempts: int


if TYPE_CHECKING:
    OnRetry = Callable[[GhcrctlError, Pause], None]


@dataclass(slots=True)
class _Loop:
    """A loop that calls a function now.

    Args:
        barren: failures since the function last got further, those of loops inside included.
        inside: failures of loops inside the present call.
    """

    barren: int = 0
    inside: int = 0


class _Running(threading.local):
    """The innermost loop of each thread."""

    loop: _Loop | None = None


_running = _Running()


def used_attempts() -> int:
    """Return how many attempts failed in the loop around, since it last got further."""
    return _running.loop.barren if _running.loop else 0


def note_failure(count: int = 1) -> None:
    """Count failed attempts for the loop around, which counts them where it gets no further."""
    if _running.loop:
        _running.loop.inside += count


def retry(
    function: Callable[[], Result],
    policy: RetryPolicy,
    *,
    on_retry: OnRetry | None = None,
    sleep: Callable[[float], None] = time.sleep,
    reached: Callable[[], int] = lambda: 0,
) -> Result:
    """Call a function until it succeeds or the policy gives up; its last error then stands.

    Wrong bytes do not count as an attempt: where their source says that they may be right at the
    next, they are fetched again at once, whatever the policy.

    That error is no longer retryable, so that no caller starts over. Where a call fails without
    getting further, what loops inside it tried counts as well, here and in the next call: attempts
    are not squared.

    Args:
        function: performs the whole operation at each call.
        policy: how often and how patiently.
        on_retry: is called with the error and the pause, before the pause begins.
        sleep: waits; may raise to stop.
        reached: tells how far the operation got.
    """
    outer, loop = _running.loop, _Loop(used_attempts())
    attempt = loop.barren
    while True:
        attempt += 1
        before, loop.inside = reached(), 0
        _running.loop = loop
        try:
            return function()
        except GhcrctlError as error:
            if error.retryable and isinstance(error, DigestMismatchError | SizeMismatchError):
                attempt -= 1
                if on_retry:
                    on_retry(error, Pause(0, 0, 0))
                continue
            attempt += _count(loop, further=reached() > before)
            delay = policy.delay(attempt, error)
            if delay is None:
                error.retryable = False
                raise
            if on_retry:
                on_retry(error, Pause(delay, attempt + 1, policy.attempts))
        finally:
            _running.loop = outer
            note_failure(loop.inside)
        note_failure()
        sleep(delay)


def _count(loop: _Loop, *, further: bool) -> int:
    """Count a failed call in its loop; return how many attempts more than itself it used."""
    loop.barren = 0 if further else loop.barren + 1 + loop.inside
    return 0 if further else loop.inside
