"""Times as users write them: a duration before now, a date, or a Unix time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ghcrctl.errors import InvalidFilterError

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*(?:\.[0-9]*)?\Z")
# Smaller numbers are not read as Unix times (seconds; 2001-09-09): `--newer-than 30` is a
# duration without its unit, and must not mean thirty seconds after 1970.
_FIRST_UNIX_SECONDS = 10**9
_NEEDS_UNIT = "a number needs a unit: ms, s, m, h, d or w, as in `30d`"


def parse_point_in_time(text: str, now: datetime, shown: str) -> datetime:
    """Parse a time; a date without a time zone is UTC.

    Args:
        text: ``24h``, ``7d``, ``2026-01-31``, ``2026-01-31T12:00:00Z``, ``1700000000``.
        now: the current time, with a time zone.
        shown: the option or key with its value, for errors.

    Raises:
        InvalidFilterError: the text is not a time, or is a number without a unit.
    """
    try:
        duration = _duration(text)
        if duration is not None:
            return now - duration
        if text.isascii() and text.isdigit() and int(text) >= _FIRST_UNIX_SECONDS:
            return datetime.fromtimestamp(int(text), timezone.utc)
        if _NUMBER.match(text):
            raise InvalidFilterError(f"invalid time `{shown}`: {_NEEDS_UNIT}")
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise InvalidFilterError(
            f"invalid time `{shown}`: expected a duration such as 24h (units: ms, s, m, h, d, w), "
            "a date such as 2026-01-31, or a Unix time in seconds"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def read_duration(text: str, shown: str) -> timedelta:
    """Parse a duration: ``90s``, ``1h30m``, ``7d``, or ``0``.

    Args:
        text: the duration.
        shown: the option or key with its value, for errors.

    Raises:
        InvalidFilterError: the text is not a duration, or is a number other than 0 without a unit.
    """
    try:
        duration = timedelta(0) if text == "0" else _duration(text)
    except OverflowError:
        duration = None
    if duration is None:
        why = "expected a duration such as 6h (units: ms, s, m, h, d, w)"
        number = _NUMBER.match(text)
        raise InvalidFilterError(f"invalid duration `{shown}`: {_NEEDS_UNIT if number else why}")
    return duration


def _duration(text: str) -> timedelta | None:
    """Return a sum of numbers with units; ``None`` for any other text."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
