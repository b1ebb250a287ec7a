"""Patterns of tags: globs, regular expressions, ranges of versions.

What belongs here: reading a pattern and telling whether a tag fits. What does not: which tags
there are.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.expression import fitting
from ghcrctl.oci.version import Range, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Accepts = Callable[[str], bool]

_REGEX, _SEMVER = "re:", "semver:"


def parse_pattern(text: str) -> Accepts:
    r"""Read a pattern.

    Args:
        text: a glob (``v1.*``), ``re:REGEX`` or ``/REGEX/`` which must fit all of a tag
            (``re:v\d+``), or ``semver:RANGE`` (``semver:>=1.2 <2``).

    Raises:
        InvalidFilterError: it is empty, or its expression or range cannot be read.
    """
    if text.startswith(_SEMVER):
        return in_range(text.removeprefix(_SEMVER))
    if text.startswith(_REGEX):
        return fitting(text.removeprefix(_REGEX))
    # No tag has a slash, so that this can be no glob that fits one.
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return fitting(text[1:-1])
    if not text:
        raise InvalidFilterError("an empty pattern fits no tag", hint="`*` fits every tag")
    return like(text)


def like(glob: str) -> Accepts:
    """Accept what a glob fits."""
    return lambda tag: fnmatch.fnmatchcase(tag, glob)


def in_range(text: str) -> Accepts:
    """Accept versions of a range.

    Raises:
        InvalidFilterError: it is no range.
    """
    found = Range.parse(text)

    def accepts(tag: str) -> bool:
        version = Version.parse(tag)
        return version is not None and version in found

    return accepts


def chosen_by(include: Iterable[str], exclude: Iterable[str]) -> Accepts:
    """Accept what any of the first patterns fits, all without any, and none of the second fits.

    Raises:
        InvalidFilterError: a pattern cannot be read.
    """
    wanted = [parse_pattern(text) for text in include]
    unwanted = [parse_pattern(text) for text in exclude]

    def accepts(tag: str) -> bool:
        if wanted and not any(fits(tag) for fits in wanted):
            return False
        return not any(fits(tag) for fits in unwanted)

    return accepts
