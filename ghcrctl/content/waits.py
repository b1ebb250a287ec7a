"""Waits, for whoever watches: what is waited for, and how long.

What belongs here: a wait as a value, told as it begins. What does not: when to wait (``retry``, and
those who talk to hosts), and how people see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.errors import GhcrctlError


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that begins now, after which it goes on by itself.

    Args:
        reason: what makes it wait, for people: ``ghcr.io answers with status 429``.
        seconds: how long it takes.
        code: the code of the error that makes it wait, where there is one.
    """

    reason: str
    seconds: float
    code: str = ""


if TYPE_CHECKING:
    Waiting = Callable[[Wait], None]


def untold(_: Wait) -> None:
    """Tell nobody."""


def telling(waiting: Waiting) -> Callable[[GhcrctlError, float], None]:
    """Return what tells of the waits of ``retry``: its ``on_retry``."""
    return lambda error, delay: waiting(Wait(str(error), delay, error.code))
