"""Booleans in Go's syntax, as in docker's flags and filters."""

from __future__ import annotations

_VALUES = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def parse_bool(text: str) -> bool | None:
    """Parse a boolean; return ``None`` for other text. Source: Go's ``strconv.ParseBool``."""
    return _VALUES.get(text)
