"""Format sizes, percentages and times that change while the user watches."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def percent(done: int, total: int) -> int:
    """Return a share in whole percent, rounded down; 0 of 0 is 100 percent."""
    return min(100 * done // total, 100) if total else 100


def size_text(size: int, unit_of: int | None = None) -> str:
    """Format a size with a fixed number of decimals: ``12.5MB``, ``1.05GB``.

    Args:
        size: the size (bytes).
        unit_of: another size, whose unit is used (bytes).
    """
    number, unit = float(size if unit_of is None else unit_of), 0
    while number >= 999.95 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    digits = 0 if unit == 0 else 1 if unit < 3 else 2
    return f"{size / 1000**unit:.{digits}f}{_UNITS[unit]}"


def time_text(seconds: float) -> str:
    """Format a duration like a clock, rounded up: ``0:42``, ``12:05``, ``1:02:33``."""
    whole = max(int(-(-seconds // 1)), 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
