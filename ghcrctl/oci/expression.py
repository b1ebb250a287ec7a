"""Regular expressions that people give: read once, and never matched for ever.

What belongs here: matching within a time. Python's own library has no limit, and a few characters
(``(a+)+b``) keep it busy for years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError

if TYPE_CHECKING:
    from collections.abc import Callable

    import regex

# Seconds that one tag, of at most 128 characters, may take.
_LONGEST = 0.5


def fitting(text: str) -> Callable[[str], bool]:
    r"""Return whether an expression fits all of a text.

    Raises:
        InvalidFilterError: it cannot be read; or, when called, it takes too long.
    """
    expression = _read(text)

    def fits(tag: str) -> bool:
        try:
            return expression.fullmatch(tag, timeout=_LONGEST) is not None
        except TimeoutError:
            raise _endless(text, tag) from None

    return fits


def finding(text: str) -> Callable[[str], str | None]:
    """Return what an expression finds in a text: its groups, or else the part that it fits.

    Raises:
        InvalidFilterError: it cannot be read; or, when called, it takes too long.
    """
    expression = _read(text)

    def find(tag: str) -> str | None:
        try:
            match = expression.search(tag, timeout=_LONGEST)
        except TimeoutError:
            raise _endless(text, tag) from None
        if match is None:
            return None
        groups = [group or "" for group in match.groups()]
        return "\0".join(groups) if groups else str(match.group())

    return find


def _read(text: str) -> regex.Pattern[str]:
    # It is loaded where somebody gives an expression, and nowhere else.
    import regex

    try:
        return regex.compile(text)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise InvalidFilterError(f"invalid regular expression `{text}`: {error}") from None


def _endless(text: str, tag: str) -> InvalidFilterError:
    return InvalidFilterError(
        f"the regular expression `{text}` takes too long on `{tag}`",
        hint="repeat nothing that repeats itself, such as (a+)+",
    )
