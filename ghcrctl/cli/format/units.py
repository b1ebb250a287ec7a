"""Sizes and times: in docker's words, or exact.

What belongs here: what docker/go-units and docker's listings print for bytes and for times. What
does not: reading sizes, and the clock (callers pass ``now``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NOT_AVAILABLE = "N/A"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_HOUR = 3600
# Go's longest duration is 2^63-1 nanoseconds; its time.Sub stops there.
_LONGEST = (2**63 - 1) // 10**9
# Hours below which a unit is used, the unit's hours and its name.
_SPANS = ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months"))


def human_size(size: int, *, precision: int = 3) -> str:
    """Write a size with a decimal unit: ``13.3kB``, ``7.8MB``, ``1.05GB``, ``0B``.

    Args:
        size: bytes.
        precision: significant digits; docker's listings have 3, its progress bars 4.
    """
    number, unit = float(size), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    return f"{number:.{precision}g}{_UNITS[unit]}"


def human_duration(seconds: float) -> str:
    """Write how long something took or is ago: ``3 weeks``, ``About an hour``.

    Args:
        seconds: the duration; a negative one is ``Less than a second``.
    """
    whole = int(min(seconds, _LONGEST))
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < _HOUR:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = int(min(seconds, _LONGEST) / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    for limit, length, name in _SPANS:
        if hours < limit:
            return f"{hours // length} {name}"
    return f"{whole // _HOUR // 24 // 365} years"


def ago(created: datetime | None, now: datetime, *, missing: str = NOT_AVAILABLE) -> str:
    """Write how long ago something was made: ``3 weeks ago``.

    Args:
        created: when it was made; None, and Go's zero time of the year 1, are `missing`.
        now: the present, with a time zone.
        missing: docker's tables show ``N/A``, its JSON an empty text.
    """
    if created is None or (created.year, created.month, created.day) == (1, 1, 1):
        return missing
    if created.tzinfo is None:
        created = created.replace(tzinfo=now.tzinfo)
    return f"{human_duration((now - created).total_seconds())} ago"


def exact(moment: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
    """Write a time as RFC 3339 has it, in UTC to the second: ``2026-01-31T12:00:00Z``."""
    if moment is None:
        return missing
    offset = moment.utcoffset()
    return f"{_stamp(moment - offset if offset else moment, 'T')}Z"


def _stamp(moment: datetime, separator: str) -> str:
    """Format date and time with a four-digit year, which ``%Y`` does not guarantee."""
    return f"{moment.year:04}-{moment:%m-%d}{separator}{moment:%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Measure:
    """How a listing writes sizes and times: for people, or exact.

    Args:
        now: the present, aware.
        is_human: for people.
    """

    now: datetime
    is_human: bool = True

    def size(self, size: int) -> str:
        """Write a size: ``13.3kB``, or its bytes."""
        return human_size(size) if self.is_human else str(size)

    def since(self, moment: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
        """Write when something was: ``3 weeks ago``, or the exact time."""
        if self.is_human:
            return ago(moment, self.now, missing=missing)
        return exact(moment, missing=missing)

    def at(self, moment: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
        """Write a time: as docker's listings do, or as RFC 3339 does."""
        if moment is None:
            return missing
        if self.is_human:
            return f"{_stamp(moment, ' ')} +0000 UTC"
        return exact(moment, missing=missing)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of a listing, with times for ages where they are exact."""
        if self.is_human:
            return tuple(names)
        return tuple(name.replace("Since", "At") for name in names)


def exact_fields(size: int | None, created: datetime | None) -> dict[str, object]:
    """Return the fields that programs read, beside those that docker's listings have for people."""
    return {"Bytes": size, "Created": rfc3339(created)}


def rfc3339(moment: datetime | None) -> str | None:
    """Write a time for programs; nothing where there is none."""
    return exact(moment, missing="") or None
