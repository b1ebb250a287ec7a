"""Which rules of a run matched something: one that matches nothing may be misspelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class RuleMatches:
    """Records for each rule of a run whether it matched something.

    A rule of several packages or repositories needs to match in one of them only.
    """

    def __init__(self) -> None:
        self._matched: dict[str, bool] = {}

    def record(self, rule: str, matches: Callable[[], bool]) -> None:
        """Record whether a rule matches here, unless it matched before.

        Args:
            rule: the rule as users wrote it.
            matches: returns whether it matches.
        """
        if not self._matched.get(rule):
            self._matched[rule] = matches()

    def skip(self, rules: Iterable[str]) -> None:
        """Record rules of something that cannot be read: whether they match there is unknown."""
        self._matched |= dict.fromkeys(rules, True)

    @property
    def unmatched(self) -> list[str]:
        """The rules that matched nothing, in the order of the run."""
        return [rule for rule, matched in self._matched.items() if not matched]
