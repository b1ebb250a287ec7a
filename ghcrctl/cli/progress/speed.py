"""Measure transfer speeds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Clock: TypeAlias = "Callable[[], float]"

# Length of the averaging window.
_WINDOW_SECONDS = 6.0
_MINIMUM_SAMPLE_SECONDS = 1.0


class Speed:
    """An average over the last seconds, which neither jumps nor lags.

    Args:
        clock: a monotonic clock (seconds).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque([(clock(), 0)])

    def measure(self, amount: int) -> float | None:
        """Add the current amount; return the speed per second, ``None`` in the first second."""
        now = self._clock()
        while len(self._samples) > 1 and self._samples[0][0] < now - _WINDOW_SECONDS:
            self._samples.popleft()
        self._samples.append((now, amount))
        began, first = self._samples[0]
        if now - began < _MINIMUM_SAMPLE_SECONDS:
            return None
        return max(amount - first, 0) / (now - began)
