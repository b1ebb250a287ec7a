"""Tag patterns: globs, regular expressions and version ranges."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.regular_expression import full_matcher
from ghcrctl.oci.version import Range, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Accepts = Callable[[str], bool]

_REGEX, _SEMVER = "re:", "semver:"


def parse_pattern(text: str) -> Accepts:
    r"""Parse a tag pattern.

    Args:
        text: a glob (``v1.*``); ``re:REGEX`` or ``/REGEX/``, which must match a whole tag
            (``re:v\d+``); or ``semver:RANGE`` (``semver:>=1.2 <2``).

    Raises:
        InvalidFilterError: the pattern is empty, or its expression or range is invalid.
    """
    if text.startswith(_SEMVER):
        return in_range(text.removeprefix(_SEMVER))
    if text.startswith(_REGEX):
        return full_matcher(text.removeprefix(_REGEX))
    # Tags contain no slashes, so this cannot be a glob.
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return full_matcher(text[1:-1])
    if not text:
        raise InvalidFilterError("invalid tag pattern: it is empty", hint="`*` matches all tags")
    return glob_matcher(text)


def glob_matcher(glob: str) -> Accepts:
    """Return a function that checks whether a glob matches a tag."""
    return lambda tag: fnmatch.fnmatchcase(tag, glob)


def in_range(text: str) -> Accepts:
    """Return a function that checks whether a tag is a version in a range.

    Raises:
        InvalidFilterError: the range is invalid.
    """
    found = Range.parse(text)

    def accepts(tag: str) -> bool:
        version = Version.parse(tag)
        return version is not None and version in found

    return accepts


def tag_filter(include: Iterable[str], exclude: Iterable[str]) -> Accepts:
    """Return a function that checks whether include patterns match a tag and exclude ones do not.

    Without include patterns, all tags are included.

    Raises:
        InvalidFilterError: a pattern is invalid.
    """
    wanted = [parse_pattern(text) for text in include]
    unwanted = [parse_pattern(text) for text in exclude]

    def accepts(tag: str) -> bool:
        if wanted and not any(fits(tag) for fits in wanted):
            return False
        return not any(fits(tag) for fits in unwanted)

    return accepts
