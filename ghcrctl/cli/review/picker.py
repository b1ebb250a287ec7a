"""The state of a review: which versions of a plan to keep, and what each key does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from ghcrctl.cli.format.plans import headline, tags_shown
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.format.style import Marked, Meaning
from ghcrctl.cli.format.units import ago, human_size
from ghcrctl.cli.review.screen import Key
from ghcrctl.github.plan_exclusions import exclude_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan, Step

# Help texts, longest first; the first one that fits is shown.
HELPS = (
    "space keep/delete  a all  / find  enter continue  q quit",
    "space changes  a all  enter continue  q quit",
    "enter ok  q quit",
)
SEARCH_HELPS = ("enter search  escape show all", "enter  escape")
_PAGE = 10


class Choice(Enum):
    """What to do after a key."""

    CONTINUE = auto()
    DONE = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """A version that a plan would delete.

    Args:
        plan: the plan's number.
        step: the version.
        text: the text to search in.
    """

    plan: int
    step: Step
    text: str


class Picker:
    """A review of deletion plans.

    Args:
        plans: one plan per package.
        graphs: the package graphs that the plans were created from, by package.
        now: the current time.
    """

    def __init__(self, plans: Sequence[Plan], graphs: Mapping[str, Graph], now: datetime) -> None:
        self._original = tuple(plans)
        self._graphs = graphs
        self._now = now
        self._excluded: set[tuple[int, str]] = set()
        self._rows = [
            Row(number, step, f"{plan.name} {' '.join(step.tags)} {step.kind} {step.digest}")
            for number, plan in enumerate(plans)
            for step in plan.steps
        ]
        self.plans = list(plans)
        self.shown = self._rows
        self.at = 0
        self.query = ""
        self.is_searching = False
        self.message = ""
        self._kept = self._kept_reasons()
        self._freed = self._freed_sizes()

    @property
    def title(self) -> str:
        """One line that says what the plans delete now."""
        if len(self.plans) == 1:
            return headline(self.plans[0])
        count = sum(len(plan.steps) for plan in self.plans)
        freed = human_size(sum(plan.freed for plan in self.plans))
        versions = quantity(len(self._rows), "version")
        return f"{quantity(len(self.plans), 'package')}: delete {count} of {versions}, {freed}"

    @property
    def status(self) -> str:
        """The message of the last key, or the search text."""
        if self.message or not (self.is_searching or self.query):
            return self.message
        return f"/{self.query}" if self.shown else f"/{self.query}  no matches"

    def is_deleted(self, row: Row) -> bool:
        """Check whether the plans delete a version now."""
        return (row.plan, row.step.digest) not in self._kept

    def cells(self, row: Row) -> Mapping[str, object]:
        """Return a row of the table."""
        step = row.step
        lead = "  " if step.follows else ""
        name = tags_shown(step.tags) if step.tags else step.digest.partition(":")[2][:12]
        why = self._kept.get((row.plan, step.digest)) or step.reason
        return {
            "package": self._original[row.plan].package,
            "version": Marked(f"{lead}{name}", None if step.tags else Meaning.ASIDE),
            "kind": step.kind,
            "created": ago(step.created, self._now),
            "frees": human_size(self._freed.get((row.plan, step.digest), step.freed)),
            "why": printable(why),
        }

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the table; the package only if there are several."""
        columns = ("package", "version", "kind", "created", "frees", "why")
        return columns if len(self._original) > 1 else columns[1:]

    def press(self, key: Key | str) -> Choice:
        """Handle a key."""
        self.message = ""
        if self.is_searching:
            self._search(key)
            return Choice.CONTINUE
        if key is Key.ESCAPE and self.query:
            self._search(key)
            return Choice.CONTINUE
        if key in {Key.ENTER, "q", Key.ESCAPE}:
            return Choice.DONE if key is Key.ENTER else Choice.QUIT
        action = self._actions().get(key)
        if action:
            action()
        self.at = max(0, min(self.at, len(self.shown) - 1))
        return Choice.CONTINUE

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
            "/": lambda: setattr(self, "is_searching", True),
        }

    def _search(self, key: Key | str) -> None:
        if key in {Key.ENTER, Key.ESCAPE}:
            self.is_searching = False
            if key is Key.ESCAPE:
                self.query = ""
        elif key is Key.BACKSPACE:
            self.query = self.query[:-1]
        elif isinstance(key, str):
            self.query += key
        query = self.query.lower()
        self.shown = [row for row in self._rows if query in row.text.lower()]
        self.at = 0

    def _toggle(self) -> None:
        if not self.shown:
            return
        row = self.shown[self.at]
        name = (row.plan, row.step.digest)
        if self.is_deleted(row):
            self._excluded.add(name)
        elif name in self._excluded:
            self._excluded.discard(name)
        self._plan_again()
        if not self.is_deleted(row):
            self.message = f"kept: {self._kept[name]}"
        self.at += 1

    def _toggle_all(self) -> None:
        names = {(row.plan, row.step.digest) for row in self.shown}
        if any(self.is_deleted(row) for row in self.shown):
            self._excluded |= names
        else:
            self._excluded -= names
        self._plan_again()

    def _plan_again(self) -> None:
        self.plans = [
            exclude_versions(
                self._graphs[plan.name], plan, {d for at, d in self._excluded if at == number}
            )
            for number, plan in enumerate(self._original)
        ]
        self._kept = self._kept_reasons()
        self._freed = self._freed_sizes()

    def _freed_sizes(self) -> Mapping[tuple[int, str], int]:
        """Return the size that each deleted version frees.

        Versions share content, so excluding one changes what the others free.
        """
        return {
            (number, step.digest): step.freed
            for number, plan in enumerate(self.plans)
            for step in plan.steps
        }

    def _kept_reasons(self) -> Mapping[tuple[int, str], str]:
        planned = {(row.plan, row.step.digest) for row in self._rows}
        return {
            (number, kept.digest): kept.reason
            for number, plan in enumerate(self.plans)
            for kept in plan.kept
            if (number, kept.digest) in planned
        }
