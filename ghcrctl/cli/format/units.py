"""Format sizes and times like docker, or exactly. Source: docker/go-units."""

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
# Each unit: the number of hours up to which it is used, its length in hours, and its name.
_SPANS = ((48, 1, "hours"), (336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months"))


def human_size(size: int, *, precision: int = 3) -> str:
    """Return a size with a decimal unit: ``13.3kB``, ``7.8MB``, ``1.05GB``, ``0B``.

    Args:
        size: the size (bytes).
        precision: significant digits; docker's listings have 3, its progress bars 4.
    """
    number, unit = float(size), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    return f"{number:.{precision}g}{_UNITS[unit]}"


def human_duration(seconds: float) -> str:
    """Return a duration in docker's words: ``3 weeks``, ``About an hour``.

    Args:
        seconds: the duration (seconds); a negative one is ``Less than a second``.
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
    """Return the age of something: ``3 weeks ago``.

    Args:
        created: the time of creation. ``None`` and Go's zero time (year 1) return `missing`.
        now: the current time, with a time zone.
        missing: the text for unknown times: ``N/A`` in docker's tables, empty in its JSON.
    """
    if created is None or (created.year, created.month, created.day) == (1, 1, 1):
        return missing
    if created.tzinfo is None:
        created = created.replace(tzinfo=now.tzinfo)
    return f"{human_duration((now - created).total_seconds())} ago"


def exact(time: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
    """Return a time in UTC, in the format of RFC 3339 with seconds: ``2026-01-31T12:00:00Z``."""
    if time is None:
        return missing
    offset = time.utcoffset()
    return f"{_stamp(time - offset if offset else time, 'T')}Z"


def _stamp(time: datetime, separator: str) -> str:
    """Format date and time with a four-digit year, which ``%Y`` does not guarantee."""
    return f"{time.year:04}-{time:%m-%d}{separator}{time:%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Measure:
    """The format of sizes and times in a listing.

    Args:
        now: the current time, with a time zone.
        is_human: whether to use docker's readable form instead of exact values.
    """

    now: datetime
    is_human: bool = True

    def size(self, size: int) -> str:
        """Return a size: ``13.3kB``, or the number of bytes."""
        return human_size(size) if self.is_human else str(size)

    def since(self, time: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
        """Return an age: ``3 weeks ago``, or the exact time."""
        if self.is_human:
            return ago(time, self.now, missing=missing)
        return exact(time, missing=missing)

    def at(self, time: datetime | None, *, missing: str = NOT_AVAILABLE) -> str:
        """Return a time in the format of docker's listings, or of RFC 3339."""
        if time is None:
            return missing
        if self.is_human:
            return f"{_stamp(time, ' ')} +0000 UTC"
        return exact(time, missing=missing)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of a listing, with times instead of ages if the format is exact."""
        if self.is_human:
            return tuple(names)
        return tuple(name.replace("Since", "At") for name in names)


def exact_fields(size: int | None, created: datetime | None) -> dict[str, object]:
    """Return the exact fields that listings have in addition to docker's readable ones."""
    return {"Bytes": size, "Created": rfc3339(created)}


def rfc3339(time: datetime | None) -> str | None:
    """Return a time in the format of RFC 3339; ``None`` if there is none."""
    return exact(time, missing="") or None
