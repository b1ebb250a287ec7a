"""What happens during a transfer, for whoever watches.

What belongs here: the events as values. Observers are called from worker threads, one event at a
time.
"""

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
    """The plan is made; nothing has moved yet."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """A step's bytes begin to move."""

    step: Step


@dataclass(frozen=True, slots=True)
class Progressed:
    """So many bytes of a step are there.

    The first of a step, and the first of each try, is where reading begins: bytes that were there
    before. It goes back where a retry must. ``position``: bytes.
    """

    step: Step
    position: int


@dataclass(frozen=True, slots=True)
class Retrying:
    """A step failed and is tried again after ``delay`` seconds: ``attempt`` of ``attempts``."""

    step: Step
    error: GhcrctlError
    delay: float
    attempt: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is done. ``mounted_from``: the repository it was taken over from, where it was."""

    step: Step
    outcome: Outcome
    mounted_from: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step is given up, and with it its plan."""

    step: Step
    error: GhcrctlError


Event = Planned | Started | Progressed | Retrying | Finished | Failed
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Watch nothing."""
