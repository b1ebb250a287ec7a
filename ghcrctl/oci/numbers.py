"""Parses numbers in untrusted text: headers, versions, ports.

Python's own `int` and `str.isdigit` accept digits of other scripts, and `int` fails on thousands of
digits.
"""

from __future__ import annotations

import re

_DIGITS = re.compile(r"0*([0-9]{1,18})\Z")


def whole_number(text: str) -> int | None:
    """Return a number of ASCII digits below 10 to the 18th; ``None`` for other text."""
    match = _DIGITS.match(text)
    return int(match[1]) if match else None
