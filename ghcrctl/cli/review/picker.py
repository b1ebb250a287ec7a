"""Choosing from a plan what is to stay after all: what keys do, and what is to be seen.

What belongs here: the state of a review. What does not: reading keys and writing to the terminal
(``screen``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from ghcrctl.cli.format.plans import headline, tags_shown
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import Marked, Meaning
from ghcrctl.cli.format.units import ago, human_size
from ghcrctl.cli.review.screen import Key
from ghcrctl.github.plan_exclusions import exclude_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan, Step

# What keys do; the first that has room.
HELPS = (
    "space keep/delete  a all  / find  enter go on  q quit",
    "space changes  a all  enter on  q quit",
    "enter on  q quit",
)
SEEKING_HELPS = ("enter search  escape show all", "enter  escape")
_PAGE = 10


class Choice(Enum):
    """How a review goes on."""

    MORE = auto()
    DONE = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """A version that a plan would delete.

    Args:
        plan: the plan's number.
        step: the version.
        text: what one can search in.
    """

    plan: int
    step: Step
    text: str


class Picker:
    """A review of plans.

    Args:
        plans: one a package.
        graphs: of each package, by its name; from these the plans were made.
        now: the present.
    """

    def __init__(self, plans: Sequence[Plan], graphs: Mapping[str, Graph], now: datetime) -> None:
        self._before = tuple(plans)
        self._graphs = graphs
        self._now = now
        self._spared: set[tuple[int, str]] = set()
        self._rows = [
            Row(number, step, f"{plan.name} {' '.join(step.tags)} {step.kind} {step.digest}")
            for number, plan in enumerate(plans)
            for step in plan.steps
        ]
        self.plans = list(plans)
        self.shown = self._rows
        self.at = 0
        self.sought = ""
        self.is_seeking = False
        self.message = ""
        self._stays = self._staying()
        self._freed = self._freeing()

    @property
    def title(self) -> str:
        """What is left of the plans, in a line."""
        if len(self.plans) == 1:
            return headline(self.plans[0])
        count = sum(len(plan.steps) for plan in self.plans)
        freed = human_size(sum(plan.freed for plan in self.plans))
        return f"{len(self.plans)} packages: {count} of {len(self._rows)} versions go, {freed}"

    @property
    def told(self) -> str:
        """What is to be said now: of the last key, or what is searched for."""
        if self.message or not (self.is_seeking or self.sought):
            return self.message
        return f"/{self.sought}" if self.shown else f"/{self.sought}  nothing is like that"

    def goes(self, row: Row) -> bool:
        """Tell whether a version goes, as things stand."""
        return (row.plan, row.step.digest) not in self._stays

    def cells(self, row: Row) -> Mapping[str, object]:
        """Return a row of the table."""
        step = row.step
        lead = "  " if step.follows else ""
        name = tags_shown(step.tags) if step.tags else step.digest.partition(":")[2][:12]
        why = self._stays.get((row.plan, step.digest)) or step.reason
        return {
            "package": self._before[row.plan].package,
            "version": Marked(f"{lead}{name}", None if step.tags else Meaning.ASIDE),
            "kind": step.kind,
            "created": ago(step.created, self._now),
            "frees": human_size(self._freed.get((row.plan, step.digest), step.freed)),
            "why": printable(why),
        }

    @property
    def columns(self) -> Sequence[str]:
        """The table's columns; the package only where there are several."""
        found = ("package", "version", "kind", "created", "frees", "why")
        return found if len(self._before) > 1 else found[1:]

    def press(self, key: Key | str) -> Choice:
        """Do what a key asks for."""
        self.message = ""
        if self.is_seeking:
            self._seek(key)
            return Choice.MORE
        if key is Key.ESCAPE and self.sought:
            self._seek(key)
            return Choice.MORE
        if key in {Key.ENTER, "q", Key.ESCAPE}:
            return Choice.DONE if key is Key.ENTER else Choice.QUIT
        action = self._actions().get(key)
        if action:
            action()
        self.at = max(0, min(self.at, len(self.shown) - 1))
        return Choice.MORE

    def _actions(self) -> Mapping[Key | str, Callable[[], None]]:
        def move(by: int) -> Callable[[], None]:
            return lambda: setattr(self, "at", self.at + by)

        return {
            Key.UP: move(-1),
            "k": move(-1),
            Key.DOWN: move(1),
            "j": move(1),
            Key.PAGE_UP: move(-_PAGE),
            Key.PAGE_DOWN: move(_PAGE),
            Key.HOME: move(-len(self._rows)),
            Key.END: move(len(self._rows)),
            " ": self._toggle,
            "a": self._toggle_all,
            "/": lambda: setattr(self, "is_seeking", True),
        }

    def _seek(self, key: Key | str) -> None:
        if key in {Key.ENTER, Key.ESCAPE}:
            self.is_seeking = False
            if key is Key.ESCAPE:
                self.sought = ""
        elif key is Key.BACKSPACE:
            self.sought = self.sought[:-1]
        elif isinstance(key, str):
            self.sought += key
        wanted = self.sought.lower()
        self.shown = [row for row in self._rows if wanted in row.text.lower()]
        self.at = 0

    def _toggle(self) -> None:
        if not self.shown:
            return
        row = self.shown[self.at]
        name = (row.plan, row.step.digest)
        if self.goes(row):
            self._spared.add(name)
        elif name in self._spared:
            self._spared.discard(name)
        self._plan_again()
        if not self.goes(row):
            self.message = f"stays: {self._stays[name]}"
        self.at += 1

    def _toggle_all(self) -> None:
        names = {(row.plan, row.step.digest) for row in self.shown}
        if any(self.goes(row) for row in self.shown):
            self._spared |= names
        else:
            self._spared -= names
        self._plan_again()

    def _plan_again(self) -> None:
        self.plans = [
            exclude_versions(
                self._graphs[plan.name], plan, {d for at, d in self._spared if at == number}
            )
            for number, plan in enumerate(self._before)
        ]
        self._stays = self._staying()
        self._freed = self._freeing()

    def _freeing(self) -> Mapping[tuple[int, str], int]:
        """Return what each version frees that goes; others may free what one would have."""
        return {
            (number, step.digest): step.freed
            for number, plan in enumerate(self.plans)
            for step in plan.steps
        }

    def _staying(self) -> Mapping[tuple[int, str], str]:
        planned = {(row.plan, row.step.digest) for row in self._rows}
        return {
            (number, kept.digest): kept.reason
            for number, plan in enumerate(self.plans)
            for kept in plan.kept
            if (number, kept.digest) in planned
        }
