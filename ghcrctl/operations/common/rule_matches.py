"""Track which rules of a run matched something: a rule without a match may be misspelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class RuleMatches:
    """Records for each rule of a run whether it matched something.

    A rule for multiple packages or repositories only needs to match in one of them.
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
        """Count rules as matched for an object that cannot be read, since they may match it."""
        self._matched |= dict.fromkeys(rules, True)

    @property
    def unmatched(self) -> list[str]:
        """The rules that matched nothing, in the order of the run."""
        return [rule for rule, matched in self._matched.items() if not matched]
