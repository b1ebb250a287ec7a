"""Respects GitHub's rate limits, both in advance and after a refusal.

Source: GitHub's documentation, "Rate limits for the REST API": 900 points per minute, where a read
costs 1 and a write 5; ``retry-after``; ``x-ratelimit-reset``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ghcrctl.content.wait_events import Wait, ignore_wait
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.retry_after import requested_wait, underlying_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.content.wait_events import Waiting

POINTS_PER_MINUTE = 900
_WINDOW_SECONDS = 60.0
_READ, _WRITE = 1, 5
# GitHub's advice for refusals without a stated wait: a minute, and longer each time.
_DEFAULT_SECONDS = 60.0
_CLOCK_SKEW_SECONDS = 1.0


class RateLimiter:
    """Spaces requests so that no minute exceeds the points allowed; shared between threads.

    Args:
        points: points allowed per minute; 0 for no limit.
        sleep: waits for a number of seconds.
        waiting: called with each wait.
        clock: a monotonic clock (seconds).
    """

    def __init__(
        self,
        points: int = POINTS_PER_MINUTE,
        *,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Waiting = ignore_wait,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._points = points
        self._sleep = sleep
        self._waiting = waiting
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0
        self._lock = threading.Lock()

    def take(self, method: str) -> None:
        """Wait until a request may be sent."""
        if not self._points:
            return
        cost = _READ if method in {"GET", "HEAD", "OPTIONS"} else _WRITE
        with self._lock:
            wait = self._wait_for(cost)
            if wait > 0:
                self._waiting(Wait(f"GitHub allows {self._points} points per minute", wait))
                self._sleep(wait)
            self._spent.append((self._clock(), cost))
            self._sum += cost

    def _wait_for(self, cost: int) -> float:
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - _WINDOW_SECONDS:
            self._sum -= self._spent.popleft()[1]
        over = self._sum + cost - self._points
        wait = 0.0
        for spent_at, points in self._spent:
            if over <= 0:
                break
            over -= points
            wait = spent_at + _WINDOW_SECONDS - now
        return wait


def refusal_wait(
    status: int, headers: Mapping[str, str], text: str, *, now: float, attempt: int
) -> float | None:
    """Return how long to wait after a refusal by a rate limit (seconds); ``None`` for others.

    Args:
        status: the HTTP status.
        headers: the response headers.
        text: the start of the body.
        now: the current Unix time (seconds).
        attempt: the number of refusals in a row, counted from 1.
    """
    if status not in {403, 429}:
        return None
    wait = requested_wait(headers.get("Retry-After"), text)
    if wait is not None:
        return wait
    if headers.get("X-RateLimit-Remaining") == "0":
        reset = whole_number(headers.get("X-RateLimit-Reset", ""))
        if reset is not None:
            # The reset may be in the past: the limit has been lifted in the meantime.
            return max(0.0, reset - now) + _CLOCK_SKEW_SECONDS
    if underlying_status(status, text) == 429:
        return _DEFAULT_SECONDS * float(2 ** (attempt - 1))
    return None
