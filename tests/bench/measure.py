"""Running whole commands and measuring them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_STOPWATCH = Path(__file__).with_name("stopwatch.py")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one command.

    Args:
        seconds: wall time.
        peak: bytes of resident memory; 0 where a daemon did the work.
        requests: how many the registry got; ``None`` where there was none.
    """

    seconds: float
    peak: int
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of one contestant."""

    name: str
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The median of the wall times."""
        return median(run.seconds for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest wall time."""
        return min(r.seconds for r in self.runs), max(r.seconds for r in self.runs)

    @property
    def peak(self) -> int:
        """The largest peak, in bytes."""
        return max(run.peak for run in self.runs)

    @property
    def requests(self) -> int | None:
        """What the registry was asked in the last run; the first may find caches empty."""
        return self.runs[-1].requests


class CommandError(Exception):
    """A command that should be measured failed."""


def run(command: Sequence[str], environ: Mapping[str, str], log: Path) -> Run:
    """Run a command that must succeed.

    Raises:
        CommandError: it failed; the message ends with what it said.
    """
    watched = [sys.executable, "-I", "-S", str(_STOPWATCH), str(log), *command]
    done = subprocess.run(watched, env=dict(environ), capture_output=True, text=True, check=True)
    seconds, peak, status = done.stdout.split()
    if status != "0":
        said = log.read_text(errors="replace")[-2000:]
        raise CommandError(f"{' '.join(command)} failed with {status}: {said}")
    return Run(float(seconds), int(peak) * 1024)


def take_turns(contestants: Mapping[str, Callable[[], Run]], runs: int) -> list[Result]:
    """Run each contestant so many times, in turns."""
    seen: dict[str, list[Run]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, act in contestants.items():
            seen[name].append(act())
    return [Result(name, tuple(done)) for name, done in seen.items()]
