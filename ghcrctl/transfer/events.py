"""The events of a transfer. Observers are called from worker threads, one event at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.transfer.plan import Plan, Step


class Outcome(Enum):
    """How a step ended."""

    COPIED = "copied"
    EXISTS = "exists"
    MOUNTED = "mounted"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is complete and the transfer starts."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """The transfer of a step starts."""

    step: Step


@dataclass(frozen=True, slots=True)
class Progressed:
    """A step has made progress.

    The first event of each attempt has the position at which reading starts, which is not zero if
    the transfer is resumed. A retry may start at a lower position.

    Args:
        step: the step.
        position: number of bytes transferred or present (bytes).
    """

    step: Step
    position: int


@dataclass(frozen=True, slots=True)
class Retrying:
    """A step failed and is retried after a delay.

    Args:
        step: the step.
        error: why the step failed.
        delay: time until the next attempt (seconds).
        attempt: number of the next attempt, counted from 1.
        attempts: maximum number of attempts.
    """

    step: Step
    error: GhcrctlError
    delay: float
    attempt: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is done; ``mounted_from`` is the repository a mounted blob came from."""

    step: Step
    outcome: Outcome
    mounted_from: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed, and with it the transfer."""

    step: Step
    error: GhcrctlError


Event = Planned | Started | Progressed | Retrying | Finished | Failed
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Ignore an event."""
