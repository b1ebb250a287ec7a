"""A moment of what moves, as a value.

What belongs here: what is to be seen. What does not: counting (``board``), looks (``drawing``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """How far one thing has come.

    Args:
        label: what it is.
        done: bytes, or things.
        total: the same; ``None`` where nobody knows.
        of_bytes: whether they are bytes.
        speed: bytes a second; ``None`` where it is not told.
        left: seconds until it is done, where that can be told.
        note: what it waits for, in place of how far it has come.
    """

    label: str
    done: int
    total: int | None
    of_bytes: bool = True
    speed: float | None = None
    left: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Countdown:
    """A wait as it is displayed.

    Args:
        reason: what makes it wait.
        left: seconds that it still takes.
        verb: what follows.
        note: the number of the attempt.
    """

    reason: str
    left: float
    verb: str = "continuing"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A moment.

    Args:
        rows: what moves, in the order of its beginning.
        more: how many layers have not begun.
        total: all that is to move; ``None`` where there is nothing to add up.
        waits: what is waited for.
    """

    rows: tuple[Row, ...] = ()
    more: int = 0
    total: Row | None = None
    waits: tuple[Countdown, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.total or self.waits)
