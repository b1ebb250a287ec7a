"""Versions in tags, and version ranges.

Tags are less strict than the spec: ``3.20``, ``v1`` and ``1.2.3.4`` are versions too, and missing
numbers count as 0.

Spec: Semantic Versioning 2.0.0, sections 9 to 11 (pre-releases, build, precedence). Ranges are
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
_MIN_NUMBERS = 3


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version; two versions of the same precedence are equal.

    Args:
        numbers: major, minor, patch and possibly more.
        pre: the pre-release identifiers; empty for a release.
        text: the original text.
    """

    numbers: tuple[int, ...]
    pre: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Parse a tag; return ``None`` if it is not a version."""
        match = _VERSION.match(text)
        if not match:
            return None
        numbers = tuple(int(number) for number in match["numbers"].split("."))
        pre = tuple(match["pre"].split(".")) if match["pre"] else ()
        return cls(_padded(numbers), pre, text)

    @property
    def _key(self) -> tuple[object, ...]:
        # A release sorts after its pre-releases, and numbers sort before words.
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
    """A version range, such as ``>=1.2 <2 || ^3.1``.

    Args:
        text: the original text.
        choices: alternatives; all conditions of one must be met.
    """

    text: str
    choices: tuple[tuple[Callable[[Version], bool], ...], ...] = field(compare=False)
    pre: frozenset[tuple[int, ...]] = field(default=frozenset(), compare=False)

    @classmethod
    def parse(cls, text: str) -> Range:
        """Parse a range.

        Raises:
            InvalidFilterError: the range is invalid.
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
        """Check whether a version is in the range.

        A pre-release is only included if the range names a pre-release of the same version
        (node-semver, "Prerelease Tags").
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
    # A space is allowed between an operator and its version.
    for word in re.sub(r"([\^~><=])\s+", r"\1", part).replace(",", " ").split():
        found += _comparison(word, text)
    return found or _comparison("*", text)


def _comparison(word: str, text: str) -> list[_Condition]:
    """Parse a comparison; ``^``, ``~`` and partial versions become a lower and an upper bound."""
    match = _PARTIAL.match(word)
    if not match:
        raise _invalid(text)
    given: list[int] = []
    for number in match["numbers"].split("."):
        if number in {"x", "X", "*"}:
            break
        given.append(int(number))
    is_partial = len(given) < _MIN_NUMBERS
    pre = tuple(match["pre"].split(".")) if match["pre"] else ()
    numbers = _padded(tuple(given))
    lower = Version(numbers, pre)
    named = _trimmed(numbers) if pre else None
    operator = match["operator"] or "="
    upper = _upper_bound(operator, given)
    if operator in {"^", "~", "~>"} or (operator == "=" and is_partial):
        return [
            (lambda v: v >= lower, named),
            (lambda v: upper is None or _before(v, upper), None),
        ]
    if operator in {">", "<="} and is_partial:
        if upper is None:
            return [(lambda _: operator == "<=", None)]
        if operator == ">":
            return [(lambda v: v >= upper, None)]
        return [(lambda v: _before(v, upper), None)]
    return [(_simple(operator, lower), named)]


def _simple(operator: str, limit: Version) -> Callable[[Version], bool]:
    return {
        "=": lambda v: v == limit,
        ">": lambda v: v > limit,
        ">=": lambda v: v >= limit,
        "<": lambda v: v < limit,
        "<=": lambda v: v <= limit,
    }[operator]


def _upper_bound(operator: str, given: list[int]) -> Version | None:
    """Return the exclusive upper bound of ``^1.2``, ``~1.2`` or ``1.2``; ``None`` for ``*``."""
    if not given:
        return None
    if operator == "^":
        # `^` allows changes to the right of the first number that is not 0.
        place = next((n for n, number in enumerate(given) if number), len(given) - 1)
    elif operator in {"~", "~>"}:
        place = min(1, len(given) - 1)
    else:
        place = len(given) - 1
    return Version(_padded((*given[:place], given[place] + 1)))


def _before(version: Version, upper: Version) -> bool:
    """Check whether a version is below a bound; pre-releases of the bound are not."""
    return version < upper and _trimmed(version.numbers) != _trimmed(upper.numbers)


def _padded(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return numbers + (0,) * (_MIN_NUMBERS - len(numbers))


def _trimmed(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Remove trailing zeros, since ``1.2`` and ``1.2.0`` are equal."""
    end = len(numbers)
    while end and not numbers[end - 1]:
        end -= 1
    return numbers[:end]


def _invalid(text: str) -> InvalidFilterError:
    return InvalidFilterError(
        f"invalid version range `{text}`",
        hint="write it as >=1.2 <2, ^1.4, ~1.4.2, 1.x or 1.2 - 1.6",
    )
