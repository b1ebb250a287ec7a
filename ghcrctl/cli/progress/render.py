"""How a moment looks: lines that fit a terminal.

What belongs here: layout, a pure function of what there is and of the terminal's size. What does
not: writing to the terminal (``screen``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import Meaning

if TYPE_CHECKING:
    from ghcrctl.cli.progress.snapshot import Countdown, Picture, Row

# A text, and what it means.
Span: TypeAlias = "tuple[str, Meaning | None]"
Line: TypeAlias = "tuple[Span, ...]"

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_LABEL = 12
# Cells of a bar; below the first the line leaves something out, below the second there is no bar.
_GOOD_BAR, _LEAST_BAR = 8, 4
# Cells at the end of a line that stay free: the last one, and those of the `^C` or `^Z` that a
# terminal shows behind the block, unless it is too narrow to give them away.
_FREE, _FREE_IF_NARROW, _NARROW = 3, 1, 30
_SPEED, _LEFT, _PERCENT = 9, 10, 4
_MOST_WAITS = 3


@dataclass(frozen=True, slots=True)
class Looks:
    """What a bar is made of.

    Args:
        full: a cell that is done.
        half: the cell at the edge, where half of it is done.
        rest: a cell to come.
        ellipsis: stands for what is cut off.
    """

    full: str
    half: str
    rest: str
    ellipsis: str


UNICODE = Looks("\N{BOX DRAWINGS HEAVY HORIZONTAL}", "╸", "─", "…")
ASCII = Looks("=", ">", "-", "...")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of a line's parts, in cells; 0 for what is left out."""

    label: int
    bar: int
    amount: int
    speed: int
    left: int
    is_percent: bool = False


def draw(picture: Picture, columns: int, height: int, looks: Looks) -> list[Line]:
    """Lay a moment out.

    The last columns stay free, so that no terminal wraps a line, not even with a key that is
    pressed; and the first row, so that the block is never higher than the terminal.

    Args:
        picture: the moment.
        columns: the terminal's width, in cells.
        height: its height, in rows.
        looks: what bars are made of.
    """
    width = max(columns - (_FREE if columns > _NARROW else _FREE_IF_NARROW), 1)
    waits = sorted(picture.waits, key=lambda wait: -wait.left)[:_MOST_WAITS]
    tail: list[Line] = [_wait(wait, width, looks) for wait in waits]
    room = max(height - 1 - len(tail) - bool(picture.total), 0)
    rows, more = picture.rows, picture.more
    if len(rows) + bool(more) > room:
        shown = max(room - 1, 0)
        rows, more = rows[:shown], more + len(rows) - shown
    summed = (*rows, picture.total) if picture.total else rows
    layout = _layout([row for row in summed if not row.note], width)
    lines = [_line(row, layout, width, looks) for row in rows]
    if more and room:
        lines.append(((_cut(f"and {more} more", width, looks), Meaning.ASIDE),))
    if picture.total:
        lines.append(_line(picture.total, layout, width, looks, style=Meaning.HEADER))
    return [_fitting(line, width) for line in [*lines, *tail][-max(height - 1, 1) :]]


def _layout(rows: list[Row], width: int) -> _Columns:
    """Choose what has room: first the speed goes, then sizes become shares, then the time left."""
    label = max((display_width(row.label) for row in rows), default=0)
    label = min(max(label, _LABEL), max(_LABEL, width // 3))
    amount = max((_amount_width(row) for row in rows), default=0)
    speed = _SPEED if any(row.speed is not None for row in rows) else 0
    timed = [row for row in rows if row.speed is not None or row.left is not None]
    left = max((len(_left(row)) for row in timed), default=0)
    left = max(left, _LEFT) if timed else 0
    for choice in (
        _Columns(label, 0, amount, speed, left),
        _Columns(label, 0, amount, 0, left),
        _Columns(label, 0, _PERCENT, 0, left, is_percent=True),
        _Columns(label, 0, _PERCENT, 0, 0, is_percent=True),
    ):
        bar = width - _fixed(choice)
        if bar >= _GOOD_BAR:
            break
    bar = bar if bar >= _LEAST_BAR else 0
    return _Columns(
        choice.label, bar, choice.amount, choice.speed, choice.left, is_percent=choice.is_percent
    )


def _fixed(columns: _Columns) -> int:
    """Count the cells beside the bar; a blank stands before each part."""
    parts = (columns.amount, columns.speed, columns.left)
    return columns.label + 1 + sum(part + 1 for part in parts if part)


def _amount_width(row: Row) -> int:
    if row.total is None:
        return len("999.9MB")
    return 2 * len(_amount(row.total, row.total, of_bytes=row.of_bytes)) + 1


def _line(
    row: Row, layout: _Columns, width: int, looks: Looks, *, style: Meaning | None = None
) -> Line:
    label = _padded(printable(row.label), layout.label, looks)
    if row.note:
        note = _cut(printable(row.note), max(width - layout.label - 1, 0), looks)
        return ((label, style), (" ", None), (note, Meaning.WARN))
    spans: list[Span] = [(label, style)]
    if layout.bar:
        spans += [(" ", None), *_bar(row, layout.bar, looks)]
    told = _share(row) if layout.is_percent else _amounts(row)
    spans.append((f" {told:>{layout.amount}}", None))
    if layout.speed:
        speed = "" if row.speed is None else f"{size_text(int(row.speed))}/s"
        spans.append((f" {speed:>{layout.speed}}", Meaning.ASIDE))
    if layout.left:
        spans.append((f" {_left(row):>{layout.left}}", Meaning.ASIDE))
    while spans and not spans[-1][0].strip():
        spans.pop()
    return tuple(spans)


def _left(row: Row) -> str:
    return "" if row.left is None else f"{time_text(row.left)} left"


def _bar(row: Row, width: int, looks: Looks) -> list[Span]:
    if row.total is None:
        return [(" " * width, None)]
    share = min(row.done / row.total, 1.0) if row.total else 1.0
    halves = int(share * width * 2)
    full, half = divmod(halves, 2)
    done = looks.full * full + looks.half * half
    return [(done, Meaning.GOOD), (looks.rest * (width - full - half), Meaning.ASIDE)]


def _amounts(row: Row) -> str:
    """Write ``3.1MB/45.0MB``: both in one unit, so that the text does not jump."""
    if row.total is None:
        return size_text(row.done) if row.of_bytes else str(row.done)
    done = _amount(row.done, row.total, of_bytes=row.of_bytes)
    return f"{done}/{_amount(row.total, row.total, of_bytes=row.of_bytes)}"


def _amount(value: int, unit_of: int, *, of_bytes: bool) -> str:
    return size_text(value, unit_of) if of_bytes else str(value)


def _share(row: Row) -> str:
    return f"{percent(row.done, row.total)}%" if row.total else ""


def percent(done: int, total: int) -> int:
    """Return a share in whole percents; 100 only when all is done, as nothing of nothing is."""
    return min(100 * done // total, 100) if total else 100


def size_text(size: int, unit_of: int | None = None) -> str:
    """Write a size so that it does not jump as it grows: ``12.5MB``, ``1.05GB``.

    Args:
        size: bytes.
        unit_of: another size whose unit to use, in bytes.
    """
    number, unit = float(size if unit_of is None else unit_of), 0
    while number >= 999.95 and unit < len(_UNITS) - 1:
        number /= 1000
        unit += 1
    digits = 0 if unit == 0 else 1 if unit < 3 else 2
    return f"{size / 1000**unit:.{digits}f}{_UNITS[unit]}"


def time_text(seconds: float) -> str:
    """Write a time as a clock does: ``0:42``, ``12:05``, ``1:02:33``; never less than it is."""
    whole = max(int(-(-seconds // 1)), 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _wait(wait: Countdown, width: int, looks: Looks) -> Line:
    """Write a wait; what is cut where there is no room is the reason, and not the time."""
    end = f"; {wait.verb} in {time_text(wait.left)}{wait.note}"
    if width < 2 * len(end):
        end = f": {time_text(wait.left)}"
    return (
        (_cut(printable(wait.reason), max(width - len(end), 1), looks), Meaning.WARN),
        (end, Meaning.WARN),
    )


def _padded(text: str, width: int, looks: Looks) -> str:
    text = _cut(text, width, looks)
    return text + " " * (width - display_width(text))


def _cut(text: str, width: int, looks: Looks) -> str:
    return fitted(text, width, looks.ellipsis)


def _fitting(line: Line, width: int) -> Line:
    """Cut what does not fit at all, as on a terminal of twenty columns."""
    kept: list[Span] = []
    room = width
    for text, style in line:
        kept.append((fitted(text, room, ""), style))
        room -= display_width(kept[-1][0])
    return tuple(kept)
