"""Pauses of a run because a host limits the rate of requests."""

from __future__ import annotations


class Pauses:
    """The pauses of a run; those that overlap count once."""

    def __init__(self) -> None:
        self._planned = 0.0
        self._end = 0.0

    def add(self, now: float, seconds: float) -> None:
        """Record a pause that starts now (seconds)."""
        end = now + seconds
        if end > self._end:
            self._planned += end - max(now, self._end)
            self._end = end

    def past(self, now: float) -> float:
        """Return how long the run has paused until now (seconds)."""
        return self._planned - self.left(now)

    def left(self, now: float) -> float:
        """Return the remaining time of the current pause (seconds); 0 if there is none."""
        return max(0.0, self._end - now)
