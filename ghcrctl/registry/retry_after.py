"""Detects temporary refusals, and how long to wait before retrying.

Source for ghcr.io: public reports of its messages; GitHub's documentation, "Rate limits for the
REST API", for secondary rate limits.
"""

from __future__ import annotations

import re

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

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
# JSON may escape a non-ASCII letter.
_PART = r"(\d+(?:\.\d+)?)(ns|us|µs|μs|\\u00b5s|\\u03bcs|ms|s|m|h)"
_REQUESTED = re.compile(rf"retry-after:\s*((?:{_PART})+)", re.IGNORECASE)
# After microseconds, the next request would fall into the same rate limit window.
_MIN_WAIT_SECONDS = 1.0


# A 403 is only temporary if its body matches one of these.
_LIMITED = re.compile(r"rate limit|abuse detection|TOOMANYREQUESTS", re.IGNORECASE)
_SECONDARY = re.compile(r"secondary rate limit|abuse detection", re.IGNORECASE)
_INTERMEDIARY = re.compile(r"error from intermediary with HTTP status code (\d{3})", re.IGNORECASE)
# GitHub: "wait for at least one minute before retrying", and longer each time.
SECONDARY_LIMIT_SECONDS = 60.0


def underlying_status(status: int, text: str) -> int:
    """Return the actual status of a refusal.

    ghcr.io's front end reports rate limits as 403, and errors of the servers behind it as 403 with
    their status in the text.
    """
    if status != 403:
        return status
    match = _INTERMEDIARY.search(text)
    if match and (match[1] == "429" or match[1].startswith("5")):
        return int(match[1])
    return 429 if _LIMITED.search(text) else status


def least_wait(status: int, text: str) -> float | None:
    """Return the minimum wait in seconds after a secondary rate limit, ``None`` otherwise."""
    if status not in {403, 429} or _INTERMEDIARY.search(text):
        return None
    found = (_LIMITED if status == 403 else _SECONDARY).search(text)
    return SECONDARY_LIMIT_SECONDS if found else None


def requested_wait(header: str | None, message: str) -> float | None:
    """Return the wait that a server requests, in seconds; ``None`` if it requests none.

    Args:
        header: the value of ``Retry-After``: seconds or a date (RFC 9110, section 10.2.3).
        message: the body, where ghcr.io writes ``retry-after: 880.092µs, allowed: 44000/minute``.
    """
    if header:
        seconds = _parse_header(header)
        if seconds is not None:
            return seconds
    match = _REQUESTED.search(message)
    if not match:
        return None
    parts = re.findall(_PART, match[1], re.IGNORECASE)
    seconds = sum(float(number) * _SECONDS[unit.casefold()] for number, unit in parts)
    return max(_MIN_WAIT_SECONDS, seconds)


def _parse_header(text: str) -> float | None:
    try:
        return float(Retry().parse_retry_after(text.strip()))
    except (InvalidHeader, ValueError, OverflowError):
        return None
