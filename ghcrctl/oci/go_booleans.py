"""Booleans as Go reads them, and so docker in flags and filters."""

from __future__ import annotations

_VALUES = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def parse_bool(text: str) -> bool | None:
    """Parse a boolean; return ``None`` for any other text. Source: Go's ``strconv.ParseBool``."""
    return _VALUES.get(text)
