"""Temporary refusals, and how long to wait for their end.

Evidence for ghcr.io: public reports of its messages; GitHub's documentation, "Rate limits for the
REST API", for secondary rate limits.
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


# Status 403 is final unless its body matches one of these.
_LIMITED = re.compile(r"rate limit|abuse detection|TOOMANYREQUESTS", re.IGNORECASE)
_SECONDARY = re.compile(r"secondary rate limit|abuse detection", re.IGNORECASE)
_INTERMEDIARY = re.compile(r"error from intermediary with HTTP status code (\d{3})", re.IGNORECASE)
# Seconds. GitHub: "wait for at least one minute before retrying", and longer each time.
LEAST_SECONDARY_WAIT = 60.0


def underlying_status(status: int, text: str) -> int:
    """Return the status that a refusal represents.

    A fault behind ghcr.io's front end arrives as status 403, with the status of the fault in its
    text; rate limits arrive as 403 too.
    """
    if status != 403:
        return status
    match = _INTERMEDIARY.search(text)
    if match and (match[1] == "429" or match[1].startswith("5")):
        return int(match[1])
    return 429 if _LIMITED.search(text) else status


def least_wait(status: int, text: str) -> float | None:
    """Return the seconds of the first wait after a refusal by a secondary rate limit."""
    if status not in {403, 429} or _INTERMEDIARY.search(text):
        return None
    found = (_LIMITED if status == 403 else _SECONDARY).search(text)
    return LEAST_SECONDARY_WAIT if found else None


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
