"""The state of all transfers at one time, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """The progress of one layer or counter.

    Args:
        label: its name.
        done: bytes or items.
        total: bytes or items; ``None`` if unknown.
        of_bytes: whether these are bytes.
        speed: bytes per second; ``None`` if unknown.
        left: estimated time until it is done (seconds); ``None`` if unknown.
        note: why it waits; shown instead of the progress.
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
    """A wait that is shown as a countdown.

    Args:
        reason: why the run waits.
        left: remaining time (seconds).
        verb: what follows.
        note: the number of the attempt.
    """

    reason: str
    left: float
    verb: str = "continuing"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state to show.

    Args:
        rows: layers and counters, in the order in which they began.
        more: number of layers whose transfer has not begun.
        total: the sum of all transfers; ``None`` if there are none.
        waits: the present waits.
    """

    rows: tuple[Row, ...] = ()
    more: int = 0
    total: Row | None = None
    waits: tuple[Countdown, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.total or self.waits)
