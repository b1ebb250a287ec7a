"""How fast something goes.

What belongs here: measuring over the last seconds, so that a speed neither jumps nor lags.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Clock: TypeAlias = "Callable[[], float]"

# Seconds of the past that the speed is of.
_WINDOW = 6.0
# Seconds after which there is a speed.
_SOON = 1.0


class Speed:
    """How fast something goes, over the last seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock(), 0)])

    def note(self, amount: int) -> float | None:
        """Take note of how much there is by now; return how much a second comes.

        In the first moments nobody can tell.
        """
        now = self._clock()
        while len(self._seen) > 1 and self._seen[0][0] < now - _WINDOW:
            self._seen.popleft()
        self._seen.append((now, amount))
        began, first = self._seen[0]
        return max(amount - first, 0) / (now - began) if now - began >= _SOON else None
