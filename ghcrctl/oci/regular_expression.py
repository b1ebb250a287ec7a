"""Regular expressions from users, with a time limit.

Python's `re` has no limit, and a few characters such as ``(a+)+b`` can keep it busy for years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError

if TYPE_CHECKING:
    from collections.abc import Callable

    import regex

# Limit for matching one tag of at most 128 characters.
_MATCH_SECONDS = 0.5


def full_matcher(text: str) -> Callable[[str], bool]:
    r"""Return a function that checks whether an expression matches a whole tag.

    Raises:
        InvalidFilterError: the expression is invalid; or, when called, it takes too long.
    """
    expression = _compile(text)

    def fits(tag: str) -> bool:
        try:
            return expression.fullmatch(tag, timeout=_MATCH_SECONDS) is not None
        except TimeoutError:
            raise _timeout(text, tag) from None

    return fits


def searcher(text: str) -> Callable[[str], str | None]:
    """Return a function that finds an expression's groups in a tag, or else its whole match.

    Raises:
        InvalidFilterError: the expression is invalid; or, when called, it takes too long.
    """
    expression = _compile(text)

    def find(tag: str) -> str | None:
        try:
            match = expression.search(tag, timeout=_MATCH_SECONDS)
        except TimeoutError:
            raise _timeout(text, tag) from None
        if match is None:
            return None
        groups = [group or "" for group in match.groups()]
        return "\0".join(groups) if groups else str(match.group())

    return find


def _compile(text: str) -> regex.Pattern[str]:
    # `regex` is only loaded if a user gives an expression.
    import regex

    try:
        return regex.compile(text)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise InvalidFilterError(f"invalid regular expression `{text}`: {error}") from None


def _timeout(text: str, tag: str) -> InvalidFilterError:
    return InvalidFilterError(
        f"the regular expression `{text}` takes too long to match `{tag}`",
        hint="avoid nested repetition such as (a+)+",
    )
