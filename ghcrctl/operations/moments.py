"""Moments as people write them: a span before now, a date, or seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ghcrctl.errors import InvalidFilterError

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def read_moment(text: str, now: datetime, shown: str) -> datetime:
    """Read a moment; a date without a zone is UTC.

    Args:
        text: ``24h``, ``7d``, ``2026-01-31``, ``2026-01-31T12:00:00Z``, ``1700000000``.
        now: aware.
        shown: how the person wrote it, for errors.

    Raises:
        InvalidFilterError: it is none of these.
    """
    spans = _SPAN.findall(text)
    try:
        if spans and "".join(number + unit for number, unit in spans) == text:
            return now - timedelta(seconds=sum(float(n) * _SECONDS[u] for n, u in spans))
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), timezone.utc)
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise InvalidFilterError(
            f"invalid filter `{shown}`",
            hint="it is a span such as 24h, a date such as 2026-01-31, or seconds since 1970",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
