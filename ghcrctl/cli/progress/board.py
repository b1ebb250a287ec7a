"""Count transferred content. Displays draw snapshots of the board; threads share it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ghcrctl.cli.progress.pauses import Pauses
from ghcrctl.cli.progress.snapshot import Countdown, Row, Snapshot
from ghcrctl.cli.progress.speed import Speed
from ghcrctl.content.wait_events import attempt_note
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
    from ghcrctl.content.wait_events import Wait
    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event
    from ghcrctl.transfer.plan import Plan, Step

# The label of a sink, and the digest of content in it.
Key: TypeAlias = "tuple[str, Digest]"

# A time left is only estimated after this long.
_MINIMUM_SAMPLE_SECONDS = 1.0
# Shorter waits are not shown.
_MINIMUM_WAIT_SECONDS = 1.0


@dataclass(slots=True)
class _Active:
    """Content that is being transferred.

    Args:
        label: its short digest.
        size: its size (bytes).
        is_layer: whether it has a row.
        position: amount received so far (bytes).
        highest: the highest position of all attempts (bytes).
        is_first: whether the next position is the first one of an attempt.
        retry: time of the next attempt (seconds), reason, and number of the attempt.
    """

    label: str
    size: int
    is_layer: bool
    position: int = 0
    highest: int = 0
    is_first: bool = True
    retry: tuple[float, str, str] | None = None


@dataclass(slots=True)
class _Counter:
    """A counter that is not image content.

    Args:
        label: what is counted.
        total: the final count; ``None`` if it is unknown.
        of_bytes: whether it counts bytes.
        began: time of the first count (seconds).
        speed: its speed.
        paused: how long the run had paused before the first count (seconds).
        done: the count.
    """

    label: str
    total: int | None
    of_bytes: bool
    began: float
    speed: Speed
    paused: float
    done: int = 0


@dataclass(slots=True)
class _Totals:
    """All content to transfer, by key.

    Args:
        sizes: its sizes (bytes).
        present: amount received so far (bytes).
        waiting: layers whose transfer has not begun.
        size: the sum of the sizes (bytes).
        done: the sum of all amounts received so far (bytes).
    """

    sizes: dict[Key, int] = field(default_factory=dict)
    present: dict[Key, int] = field(default_factory=dict)
    waiting: set[Key] = field(default_factory=set)
    size: int = 0
    done: int = 0

    def add(self, key: Key, size: int) -> None:
        if key not in self.sizes:
            self.sizes[key] = size
            self.size += size

    def set_position(self, key: Key, position: int) -> None:
        self.done += position - self.present.get(key, 0)
        self.present[key] = position

    def drop(self, key: Key) -> None:
        self.size -= self.sizes.pop(key, 0)
        self.done -= self.present.pop(key, 0)
        self.waiting.discard(key)


class Board:
    """The state of all transfers and counters.

    Args:
        clock: a monotonic clock (seconds).
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waits: dict[str, tuple[float, Wait]] = {}
        self._counters: dict[str, _Counter] = {}
        self._pauses = Pauses()
        self.reset()

    def reset(self) -> None:
        """Remove all transfers, but keep the counters."""
        with self._lock:
            self._totals = _Totals()
            self._active: dict[Key, _Active] = {}
            self._transferred = 0
            self._speed: Speed | None = None

    def image(self) -> ImageBoard:
        """Return an observer for the events of one image."""
        return ImageBoard(self)

    def wait(self, wait: Wait) -> None:
        """Record a wait that begins; of waits with the same reason, show the longest one."""
        if wait.seconds >= _MINIMUM_WAIT_SECONDS:
            now = self._clock()
            until = now + wait.seconds
            with self._lock:
                # A retry delays one transfer, a rate limit delays all of them.
                if not wait.attempt:
                    self._pauses.add(now, wait.seconds)
                known = self._waits.get(wait.reason)
                if known is None or known[0] <= until:
                    self._waits[wait.reason] = (until, wait)

    def count(self, label: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        """Set a counter that is not image content."""
        with self._lock:
            counter = self._counters.get(label)
            if counter is None:
                now = self._clock()
                paused = self._pauses.past(now)
                counter = _Counter(label, total, of_bytes, now, Speed(self._clock), paused)
                self._counters[label] = counter
            counter.done, counter.total = done, total

    def uncount(self, label: str | None = None) -> None:
        """Remove a counter, or all of them."""
        with self._lock:
            for each in list(self._counters) if label is None else [label]:
                self._counters.pop(each, None)

    def snapshot(self) -> Snapshot:
        """Return the current state."""
        now = self._clock()
        with self._lock:
            counters = tuple(_counter_row(c, now, self._pauses) for c in self._counters.values())
            layers = tuple(_layer_row(each, now) for each in self._active.values() if each.is_layer)
            self._waits = {r: pair for r, pair in self._waits.items() if pair[0] > now}
            waits = tuple(
                Countdown(wait.reason, until - now, wait.verb, wait.note)
                for until, wait in self._waits.values()
            )
            return Snapshot(counters + layers, len(self._totals.waiting), self._total(), waits)

    def _total(self) -> Row | None:
        """Return the sum of all transfers; ``None`` until one begins, as in a dry run."""
        totals = self._totals
        if self._speed is None or not totals.size:
            return None
        speed = self._speed.measure(self._transferred)
        rest = totals.size - totals.done
        left = rest / speed if speed and rest > 0 else None
        return Row("Total", totals.done, totals.size, speed=speed, left=left)

    def plan(self, place: str, plan: Plan) -> list[Key]:
        """Add the content that a plan copies; return the keys that no other plan added."""
        with self._lock:
            new = []
            for step in plan.steps:
                key = (place, step.descriptor.digest)
                if step.action is Action.COPY and key not in self._totals.sizes:
                    self._totals.add(key, step.descriptor.size)
                    new.append(key)
                    if _is_shown(step):
                        self._totals.waiting.add(key)
            return new

    def start(self, key: Key, step: Step) -> None:
        """Record that the transfer of content begins."""
        with self._lock:
            self._speed = self._speed or Speed(self._clock)
            self._totals.add(key, step.descriptor.size)
            self._totals.waiting.discard(key)
            label, size = step.descriptor.digest.short, step.descriptor.size
            self._active[key] = _Active(label, size, _is_shown(step))

    def move(self, key: Key, position: int) -> None:
        """Record the position of a transfer.

        Resumed and repeated bytes count as progress, but not for the speed.
        """
        with self._lock:
            active = self._active.get(key)
            if active is None:
                return
            if not active.is_first:
                self._transferred += max(0, position - max(active.position, active.highest))
            active.position, active.is_first, active.retry = position, False, None
            active.highest = max(active.highest, position)
            self._totals.set_position(key, position)

    def hold(self, key: Key, reason: str, delay: float, note: str) -> None:
        """Record that content waits for its next attempt."""
        with self._lock:
            active = self._active.get(key)
            if active:
                active.retry, active.is_first = (self._clock() + delay, reason, note), True

    def finish(self, key: Key, *, is_copied: bool) -> None:
        """Record that content is complete; mounted content is not part of the total."""
        with self._lock:
            self._active.pop(key, None)
            if is_copied and key in self._totals.sizes:
                self._totals.set_position(key, self._totals.sizes[key])
            elif not is_copied:
                self._totals.drop(key)

    def give_up(self, keys: list[Key]) -> None:
        """Remove content whose transfer failed, unless it is complete."""
        with self._lock:
            for key in keys:
                if self._totals.present.get(key) != self._totals.sizes.get(key):
                    self._active.pop(key, None)
                    self._totals.drop(key)


class ImageBoard:
    """An observer that records the events of one image on a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._place = ""
        self._keys: list[Key] = []

    def __call__(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, Planned):
            self._place = event.plan.sink.label
            self._keys = self._board.plan(self._place, event.plan)
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
            self._board.give_up([key, *self._keys])
        elif event.outcome in {Outcome.COPIED, Outcome.MOUNTED}:
            self._board.finish(key, is_copied=event.outcome is Outcome.COPIED)


def _is_shown(step: Step) -> bool:
    return not step.descriptor.is_manifest


def _layer_row(active: _Active, now: float) -> Row:
    note = ""
    if active.retry and active.retry[0] > now:
        until, reason, attempt = active.retry
        note = f"retrying in {max(1, round(until - now))} s{attempt}: {reason}"
    return Row(active.label, active.position, active.size, note=note)


def _counter_row(counter: _Counter, now: float, pauses: Pauses) -> Row:
    """Return the row of a counter; its time left includes the rest of a pause."""
    took = now - counter.began - (pauses.past(now) - counter.paused)
    speed = counter.speed.measure(counter.done) if counter.of_bytes else None
    left: float | None = None
    rest = (counter.total or 0) - counter.done
    if rest > 0 and counter.done and took >= _MINIMUM_SAMPLE_SECONDS:
        left = took / counter.done * rest + pauses.left(now)
    return Row(counter.label, counter.done, counter.total, counter.of_bytes, speed, left)
