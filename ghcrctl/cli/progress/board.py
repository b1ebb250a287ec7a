"""What moves now, and how much has moved: what bars and plain lines are drawn from.

What belongs here: counting. What does not: how it looks (``drawing``). Threads share a board.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ghcrctl.cli.progress.pauses import Pauses
from ghcrctl.cli.progress.snapshot import Countdown, Picture, Row
from ghcrctl.cli.progress.speed import Speed
from ghcrctl.content.rate_limit_waits import attempt_note
from ghcrctl.transfer.events import (
    Failed,
    Outcome,
    Planned,
    Progressed,
    Retrying,
    Started,
)
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from ghcrctl.cli.progress.speed import Clock
    from ghcrctl.content.rate_limit_waits import Wait
    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event
    from ghcrctl.transfer.plan import Plan, Step

# Whose content it is: a sink's label, and the digest there.
Key: TypeAlias = "tuple[str, Digest]"

# Seconds after which a time left can be told, and below which a wait is not worth a line.
_SOON, _NOTICED = 1.0, 1.0


@dataclass(slots=True)
class _Moving:
    """Content that moves. ``highest``: bytes up to which it has come before."""

    label: str
    size: int
    is_layer: bool
    position: int = 0
    highest: int = 0
    begins: bool = True
    again: tuple[float, str, str] | None = None


@dataclass(slots=True)
class _Count:
    """Something that is counted; ``total``: ``None`` if the total is unknown.

    ``paused``: seconds that the run had paused when the count began.
    """

    label: str
    total: int | None
    of_bytes: bool
    began: float
    speed: Speed
    paused: float
    done: int = 0


@dataclass(slots=True)
class _Sum:
    """All content that is to move, by key: its size, and the bytes of it that are there."""

    sizes: dict[Key, int] = field(default_factory=dict)
    there: dict[Key, int] = field(default_factory=dict)
    waiting: set[Key] = field(default_factory=set)
    size: int = 0
    done: int = 0

    def want(self, key: Key, size: int) -> None:
        if key not in self.sizes:
            self.sizes[key] = size
            self.size += size

    def put(self, key: Key, position: int) -> None:
        self.done += position - self.there.get(key, 0)
        self.there[key] = position

    def drop(self, key: Key) -> None:
        self.size -= self.sizes.pop(key, 0)
        self.done -= self.there.pop(key, 0)
        self.waiting.discard(key)


class Board:
    """Keeps count of what moves.

    Args:
        clock: seconds, of a clock that never goes back.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waits: dict[str, tuple[float, Wait]] = {}
        self._counts: dict[str, _Count] = {}
        self._pauses = Pauses()
        self.reset()

    def reset(self) -> None:
        """Forget what moved: the next act begins."""
        with self._lock:
            self._sum = _Sum()
            self._moving: dict[Key, _Moving] = {}
            self._moved = 0
            self._speed: Speed | None = None

    def image(self) -> ImageBoard:
        """Return what takes the events of one image."""
        return ImageBoard(self)

    def wait(self, wait: Wait) -> None:
        """Take note of a wait that begins; several for one reason are shown as the longest."""
        if wait.seconds >= _NOTICED:
            now = self._clock()
            until = now + wait.seconds
            with self._lock:
                # After a failure only what failed waits; a rate limit holds up everything.
                if not wait.attempt:
                    self._pauses.add(now, wait.seconds)
                known = self._waits.get(wait.reason)
                if known is None or known[0] <= until:
                    self._waits[wait.reason] = (until, wait)

    def count(self, label: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        """Take note of how far something has come that is no content of an image."""
        with self._lock:
            count = self._counts.get(label)
            if count is None:
                now = self._clock()
                paused = self._pauses.past(now)
                count = _Count(label, total, of_bytes, now, Speed(self._clock), paused)
                self._counts[label] = count
            count.done, count.total = done, total

    def uncount(self, label: str | None = None) -> None:
        """Forget what was counted under a label, or all."""
        with self._lock:
            for one in list(self._counts) if label is None else [label]:
                self._counts.pop(one, None)

    def picture(self) -> Picture:
        """Return what there is to be seen."""
        now = self._clock()
        with self._lock:
            counts = tuple(_counted(count, now, self._pauses) for count in self._counts.values())
            rows = tuple(_row(one, now) for one in self._moving.values() if one.is_layer)
            self._waits = {r: pair for r, pair in self._waits.items() if pair[0] > now}
            waits = tuple(
                Countdown(wait.reason, until - now, wait.verb, wait.note)
                for until, wait in self._waits.values()
            )
            return Picture(
                counts + rows,
                len(self._sum.waiting),
                self._total(),
                waits,
            )

    def _total(self) -> Row | None:
        """Add up; nothing before the first byte may move, as in a dry run."""
        if self._speed is None or not self._sum.size:
            return None
        speed = self._speed.note(self._moved)
        rest = self._sum.size - self._sum.done
        left = rest / speed if speed and rest > 0 else None
        return Row("Total", self._sum.done, self._sum.size, speed=speed, left=left)

    def plan(self, place: str, plan: Plan) -> list[Key]:
        """Take note of what is to move to a place; return what was not known of."""
        with self._lock:
            new = []
            for step in plan.steps:
                key = (place, step.descriptor.digest)
                if step.action is Action.COPY and key not in self._sum.sizes:
                    self._sum.want(key, step.descriptor.size)
                    new.append(key)
                    if _is_shown(step):
                        self._sum.waiting.add(key)
            return new

    def start(self, key: Key, step: Step) -> None:
        """Content begins to move."""
        with self._lock:
            self._speed = self._speed or Speed(self._clock)
            self._sum.want(key, step.descriptor.size)
            self._sum.waiting.discard(key)
            label, size = step.descriptor.digest.short, step.descriptor.size
            self._moving[key] = _Moving(label, size, _is_shown(step))

    def move(self, key: Key, position: int) -> None:
        """Content has come so far. What was there before, or moves once more, is no speed."""
        with self._lock:
            one = self._moving.get(key)
            if one is None:
                return
            if not one.begins:
                self._moved += max(0, position - max(one.position, one.highest))
            one.position, one.begins, one.again = position, False, None
            one.highest = max(one.highest, position)
            self._sum.put(key, position)

    def hold(self, key: Key, reason: str, delay: float, note: str) -> None:
        """Show content as waiting for its next attempt."""
        with self._lock:
            one = self._moving.get(key)
            if one:
                one.again, one.begins = (self._clock() + delay, reason, note), True

    def finish(self, key: Key, *, moved: bool) -> None:
        """Content is there; ``moved`` tells whether its bytes had to come for that."""
        with self._lock:
            self._moving.pop(key, None)
            if moved and key in self._sum.sizes:
                self._sum.put(key, self._sum.sizes[key])
            elif not moved:
                self._sum.drop(key)

    def give_up(self, keys: list[Key]) -> None:
        """Forget content that will not come, but for what is there by now."""
        with self._lock:
            for key in keys:
                if self._sum.there.get(key) != self._sum.sizes.get(key):
                    self._moving.pop(key, None)
                    self._sum.drop(key)


class ImageBoard:
    """Takes the events of one image; its engine sends them one at a time."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._place = ""
        self._own: list[Key] = []

    def __call__(self, event: Event) -> None:
        """Keep count."""
        if isinstance(event, Planned):
            self._place = event.plan.sink.label
            self._own = self._board.plan(self._place, event.plan)
            return
        key = (self._place, event.step.descriptor.digest)
        if isinstance(event, Started):
            self._board.start(key, event.step)
        elif isinstance(event, Progressed):
            self._board.move(key, event.position)
        elif isinstance(event, Retrying):
            note = attempt_note(event.attempt, event.attempts)
            self._board.hold(key, event.error.message, event.delay, note)
        elif isinstance(event, Failed):
            self._board.give_up([key, *self._own])
        elif event.outcome in {Outcome.COPIED, Outcome.MOUNTED}:
            self._board.finish(key, moved=event.outcome is Outcome.COPIED)


def _is_shown(step: Step) -> bool:
    return not step.descriptor.is_manifest


def _row(one: _Moving, now: float) -> Row:
    note = ""
    if one.again and one.again[0] > now:
        until, reason, attempt = one.again
        note = f"retrying in {max(1, round(until - now))} s{attempt}: {reason}"
    return Row(one.label, one.position, one.size, note=note)


def _counted(count: _Count, now: float, pauses: Pauses) -> Row:
    """Return the row of a count; its time left includes the rest of a pause."""
    took = now - count.began - (pauses.past(now) - count.paused)
    speed = count.speed.note(count.done) if count.of_bytes else None
    left: float | None = None
    rest = (count.total or 0) - count.done
    if rest > 0 and count.done and took >= _SOON:
        left = took / count.done * rest + pauses.left(now)
    return Row(count.label, count.done, count.total, count.of_bytes, speed, left)
