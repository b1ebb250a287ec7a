"""How long a registry asks to wait.

What belongs here: reading ``Retry-After`` and the Go durations in ghcr.io's messages.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ghcrctl.oci.numbers import whole_number

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "μs": 1e-6,
    "\\u00b5s": 1e-6,
    "\\u03bcs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
# JSON may write a letter that is not ASCII with an escape.
_PART = r"(\d+(?:\.\d+)?)(ns|us|µs|μs|\\u00b5s|\\u03bcs|ms|s|m|h)"
_ASKED = re.compile(rf"retry-after:\s*((?:{_PART})+)", re.IGNORECASE)
# After a wait of microseconds the next request would meet the same full second.
_LEAST = 1.0


def wait_asked(header: str | None, message: str) -> float | None:
    """Return the seconds that a server asks to wait, if it does.

    Args:
        header: ``Retry-After``: seconds or a date (RFC 9110, section 10.2.3).
        message: the body, where ghcr.io writes ``retry-after: 880.092µs, allowed: 44000/minute``.
    """
    if header:
        seconds = _from_header(header.strip())
        if seconds is not None:
            return max(0.0, seconds)
    match = _ASKED.search(message)
    if not match:
        return None
    parts = re.findall(_PART, match[1], re.IGNORECASE)
    return max(_LEAST, sum(float(number) * _SECONDS[unit.casefold()] for number, unit in parts))


def _from_header(text: str) -> float | None:
    number = whole_number(text)
    if number is not None:
        return float(number)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()
