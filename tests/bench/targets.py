"""The limits that a row of the benchmark is held to, and the check whether it keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.measure import Result


@dataclass(frozen=True, slots=True)
class Target:
    """The limits of one row.

    Args:
        text: the limits in words, for the table.
        ratios: the largest accepted ratio of ghcrctl's time to a contestant's, by its name.
        peak: the largest accepted peak of any contestant; 0 for no limit [bytes].
        requests: the largest accepted number of requests; 0 for no limit.
        why_missed: the reason why a limit is not kept today.
    """

    text: str
    ratios: Mapping[str, float] = field(default_factory=dict)
    peak: int = 0
    requests: int = 0
    why_missed: str = ""

    def is_met(self, results: Sequence[Result]) -> bool:
        """Return whether measured results keep every limit; ghcrctl's come first."""
        ours = results[0]
        theirs = {result.name: result.seconds for result in results[1:]}
        return (
            all(
                ours.seconds <= limit * theirs[name]
                for name, limit in self.ratios.items()
                if name in theirs
            )
            and (not self.peak or max(result.peak for result in results) <= self.peak)
            and (not self.requests or (ours.requests or 0) <= self.requests)
        )
