"""When to try again, and how long to wait first.

What belongs here: the policy, as a value, and the loop that obeys it. What does not: what is tried.
Only errors that are marked retryable are retried.
"""

from __future__ import annotations

import random
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


def retry(
    function: Callable[[], Result],
    policy: RetryPolicy,
    *,
    on_retry: OnRetry | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call a function until it succeeds or the policy gives up; its last error then stands.

    Wrong bytes do not count as an attempt: where their source says that they may be right at the
    next, they are fetched again at once, whatever the policy.

    That error is no longer retryable, so that no caller starts over.

    Args:
        function: performs the whole operation at each call.
        policy: how often and how patiently.
        on_retry: is called with the error and the pause, before the pause begins.
        sleep: waits; may raise to stop.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return function()
        except GhcrctlError as error:
            if error.retryable and isinstance(error, DigestMismatchError | SizeMismatchError):
                attempt -= 1
                if on_retry:
                    on_retry(error, Pause(0, 0, 0))
                continue
            delay = policy.delay(attempt, error)
            if delay is None:
                error.retryable = False
                raise
            if on_retry:
                on_retry(error, Pause(delay, attempt + 1, policy.attempts))
        sleep(delay)
