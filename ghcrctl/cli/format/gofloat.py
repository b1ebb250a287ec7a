"""Format floating point numbers like Go's strconv, fmt and encoding/json."""

from __future__ import annotations

import math


def shortest(value: float, *, low: int = -4, high: int = 6) -> str:
    """Return the shortest text that parses as the same number.

    Args:
        value: any float.
        low: smaller decimal exponents are written with ``e``.
        high: decimal exponents from this value on are written with ``e``.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else '+'}Inf"
    sign = "-" if math.copysign(1, value) < 0 else ""
    digits, exponent = _decompose(abs(value))
    if low <= exponent < high:
        return sign + _plain(digits, exponent)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def json_number(value: float) -> str:
    """Return a number like encoding/json; infinities, which JSON does not have, become null."""
    if not math.isfinite(value):
        return "null"
    text = shortest(value, low=-6, high=21)
    # encoding/json writes e-9 where strconv writes e-09.
    return text[:-2] + text[-1] if text[-4:-1] == "e-0" else text


def _decompose(value: float) -> tuple[str, int]:
    if value == 0:
        return "0", 0
    mantissa, _, power = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    exponent = len(whole) - 1 + int(power or 0)
    stripped = digits.lstrip("0")
    exponent -= len(digits) - len(stripped)
    return stripped.rstrip("0") or "0", exponent


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
