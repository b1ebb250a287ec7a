"""GitHub's pace: how many requests a minute may cost, and how long it asks to wait.

What belongs here: waiting before GitHub refuses, and reading its refusals for how long to wait.
Source: GitHub's documentation, "Rate limits for the REST API": 900 points a minute, of which a
request that reads costs 1 and one that writes 5; ``retry-after``; ``x-ratelimit-reset``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ghcrctl.content.rate_limit_waits import Wait, ignore_wait
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.retry_after import underlying_status, wait_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.content.rate_limit_waits import Waiting

POINTS_A_MINUTE = 900
_WINDOW = 60.0
_READ, _WRITE = 1, 5
# What GitHub advises where it does not say how long: a minute, and longer each time.
_UNSAID = 60.0
_CLOCKS_DIFFER = 1.0


class Pace:
    """Spaces requests so that no minute costs more points than allowed; threads share it.

    Args:
        points: allowed a minute; 0 for any number.
        sleep: waits for seconds.
        waiting: is told of each wait.
        clock: seconds, of a clock that never goes back.
    """

    def __init__(
        self,
        points: int = POINTS_A_MINUTE,
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
                self._waiting(Wait(f"GitHub allows {self._points} points a minute", wait))
                self._sleep(wait)
            self._spent.append((self._clock(), cost))
            self._sum += cost

    def _wait_for(self, cost: int) -> float:
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - _WINDOW:
            self._sum -= self._spent.popleft()[1]
        over = self._sum + cost - self._points
        wait = 0.0
        for moment, points in self._spent:
            if over <= 0:
                break
            over -= points
            wait = moment + _WINDOW - now
        return wait


def refusal_wait(
    status: int, headers: Mapping[str, str], text: str, *, now: float, attempt: int
) -> float | None:
    """Return how long to wait where a refusal is for the number of requests; ``None`` for others.

    Args:
        status: HTTP's.
        headers: the answer's.
        text: the start of its body.
        now: seconds since 1970.
        attempt: how many times in a row this was refused, counted from 1.
    """
    if status not in {403, 429}:
        return None
    asked = wait_asked(headers.get("Retry-After"), text)
    if asked is not None:
        return asked
    if headers.get("X-RateLimit-Remaining") == "0":
        reset = whole_number(headers.get("X-RateLimit-Reset", ""))
        if reset is not None:
            # It may be past already: what was waited for has come.
            return max(0.0, reset - now) + _CLOCKS_DIFFER
    if underlying_status(status, text) == 429:
        return _UNSAID * float(2 ** (attempt - 1))
    return None
