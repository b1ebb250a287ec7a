"""Versions in tags, and ranges of them.

What belongs here: reading, ordering and matching versions. Tags are freer than the rules, so that
``3.20``, ``v1`` and ``1.2.3.4`` are versions too; what is missing counts as 0.

Spec: Semantic Versioning 2.0.0, sections 9 to 11 (pre-releases, build, precedence); the ranges are
those of npm's node-semver, "Ranges" and "Advanced Range Syntax".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = re.compile(
    r"[vV]?(?P<numbers>[0-9]{1,18}(?:\.[0-9]{1,18}){0,7})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]{1,128}))?(?:[+_](?P<build>[0-9A-Za-z.-]{1,128}))?\Z"
)
_PARTIAL = re.compile(
    r"(?P<operator>\^|~>?|>=|<=|>|<|=)?\s*[vV]?"
    r"(?P<numbers>(?:[0-9]{1,18}|[xX*])(?:\.(?:[0-9]{1,18}|[xX*])){0,7})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]{1,128}))?\Z"
)
_HYPHEN = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*\Z")
_LEAST_NUMBERS = 3


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version; two are equal where neither goes before the other.

    Args:
        numbers: major, minor, patch and maybe more.
        pre: the identifiers of a pre-release; empty for a release.
        text: as it was written.
    """

    numbers: tuple[int, ...]
    pre: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Read a tag; ``None`` where it is no version."""
        match = _VERSION.match(text)
        if not match:
            return None
        numbers = tuple(int(number) for number in match["numbers"].split("."))
        pre = tuple(match["pre"].split(".")) if match["pre"] else ()
        return cls(_padded(numbers), pre, text)

    @property
    def _key(self) -> tuple[object, ...]:
        # A release goes after its pre-releases; numbers go before words.
        pre = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre)
        return _trimmed(self.numbers), not self.pre, pre

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


@dataclass(frozen=True, slots=True)
class Range:
    """Some versions, as ``>=1.2 <2 || ^3.1``.

    Args:
        text: as it was written.
        choices: of these, all conditions of one must hold.
    """

    text: str
    choices: tuple[tuple[Callable[[Version], bool], ...], ...] = field(compare=False)
    pre: frozenset[tuple[int, ...]] = field(default=frozenset(), compare=False)

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read a range.

        Raises:
            InvalidFilterError: it is none.
        """
        if len(text) > 1000:
            raise _invalid(text[:20])
        choices = []
        pre: set[tuple[int, ...]] = set()
        for part in text.split("||"):
            conditions = _conditions(part, text)
            choices.append(tuple(condition for condition, _ in conditions))
            pre.update(numbers for _, numbers in conditions if numbers is not None)
        return cls(text, tuple(choices), frozenset(pre))

    def __contains__(self, version: Version) -> bool:
        """Tell whether a version is meant.

        A pre-release is meant only where the range names one of the same release (node-semver,
        "Prerelease Tags").
        """
        if version.pre and _trimmed(version.numbers) not in self.pre:
            return False
        return any(all(holds(version) for holds in choice) for choice in self.choices)


_Condition = tuple["Callable[[Version], bool]", "tuple[int, ...] | None"]


def _conditions(part: str, text: str) -> list[_Condition]:
    hyphen = _HYPHEN.match(part)
    if hyphen:
        return [*_comparison(f">={hyphen[1]}", text), *_comparison(f"<={hyphen[2]}", text)]
    found: list[_Condition] = []
    # A space may stand between an operator and its version.
    for word in re.sub(r"([\^~><=])\s+", r"\1", part).replace(",", " ").split():
        found += _comparison(word, text)
    return found or _comparison("*", text)


def _comparison(word: str, text: str) -> list[_Condition]:
    """Read one comparison; ``^``, ``~`` and partial versions are a least and a first beyond."""
    match = _PARTIAL.match(word)
    if not match:
        raise _invalid(text)
    given: list[int] = []
    for number in match["numbers"].split("."):
        if number in {"x", "X", "*"}:
            break
        given.append(int(number))
    is_partial = len(given) < _LEAST_NUMBERS
    pre = tuple(match["pre"].split(".")) if match["pre"] else ()
    numbers = _padded(tuple(given))
    least = Version(numbers, pre)
    named = _trimmed(numbers) if pre else None
    operator = match["operator"] or "="
    beyond = _beyond(operator, given)
    if operator in {"^", "~", "~>"} or (operator == "=" and is_partial):
        return [
            (lambda v: v >= least, named),
            (lambda v: beyond is None or _before(v, beyond), None),
        ]
    if operator in {">", "<="} and is_partial:
        if beyond is None:
            return [(lambda _: operator == "<=", None)]
        if operator == ">":
            return [(lambda v: v >= beyond, None)]
        return [(lambda v: _before(v, beyond), None)]
    return [(_simple(operator, least), named)]


def _simple(operator: str, limit: Version) -> Callable[[Version], bool]:
    return {
        "=": lambda v: v == limit,
        ">": lambda v: v > limit,
        ">=": lambda v: v >= limit,
        "<": lambda v: v < limit,
        "<=": lambda v: v <= limit,
    }[operator]


def _beyond(operator: str, given: list[int]) -> Version | None:
    """Return the first version beyond what ``^1.2``, ``~1.2`` or ``1.2`` mean; none for ``*``."""
    if not given:
        return None
    if operator == "^":
        # Up to the next of the first number that is not 0.
        place = next((n for n, number in enumerate(given) if number), len(given) - 1)
    elif operator in {"~", "~>"}:
        place = min(1, len(given) - 1)
    else:
        place = len(given) - 1
    return Version(_padded((*given[:place], given[place] + 1)))


def _before(version: Version, beyond: Version) -> bool:
    """Tell whether a version goes before a bound whose pre-releases are beyond it as well."""
    return version < beyond and _trimmed(version.numbers) != _trimmed(beyond.numbers)


def _padded(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return numbers + (0,) * (_LEAST_NUMBERS - len(numbers))


def _trimmed(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Leave zeros at the end out: ``1.2`` and ``1.2.0`` are the same."""
    end = len(numbers)
    while end and not numbers[end - 1]:
        end -= 1
    return numbers[:end]


def _invalid(text: str) -> InvalidFilterError:
    return InvalidFilterError(
        f"invalid version range `{text}`",
        hint="write it as >=1.2 <2, ^1.4, ~1.4.2, 1.x or 1.2 - 1.6",
    )
