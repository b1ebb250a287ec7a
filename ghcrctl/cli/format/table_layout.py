"""Lay out tables for a terminal: fitted to its width, in color, with bars.

``table`` lays out docker's tables for pipes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.size_bars import NO_BARS, draw, legend
from ghcrctl.cli.format.style import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.cli.format.size_bars import Bars
    from ghcrctl.cli.format.style import Style

_DIGEST = re.compile(r"(sha\d+:)([0-9a-f]{12})[0-9a-f]{20,}")
_SHORT_DIGEST = re.compile(r"sha\d+:([0-9a-f]{12})")
# docker's minimum width and gap, and the gap for narrow terminals.
_MINIMUM_WIDTH, _PADDING = 10, 3
_NARROW_GAP = 2
_LAST_MINIMUM = 3
# The order of columns that are cut only if nothing else can be.
LAST = 4
# A bar can shrink names to this width.
_LONG = 36
# A bar takes the remaining width, between these.
_MINIMUM_BAR, _MAXIMUM_BAR = 10, 40
# Narrower terminals have no bars.
_WIDTH_FOR_BARS = 72


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell, and its meaning."""

    text: str
    meaning: Meaning | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a column shrinks.

    Args:
        least: the width to keep while other columns can shrink (cells).
        order: columns with a lower order shrink first.
    """

    least: int = 6
    order: int = 3


def lay_out(
    table: Sequence[Sequence[Cell]],
    shapes: Sequence[Shape],
    style: Style,
    bars: Bars = NO_BARS,
) -> str:
    """Return a table for a terminal.

    Args:
        table: the rows, including the headers, with as many cells as there are shapes.
        shapes: how each column shrinks.
        style: what the terminal can show.
        bars: drawn after the rows if there is room, all to the same scale.

    Returns:
        The lines, each with a line feed.
    """
    if not style.has_all_characters:
        table = [[replace(cell, text=style.written(cell.text)) for cell in row] for row in table]
    columns = _columns(table, shapes, style.width, has_bars=bars.are_useful)
    if _cuts_digests(table, columns):
        table = [[replace(cell, text=_short_digest(cell.text)) for cell in row] for row in table]
        columns = _columns(table, shapes, style.width, has_bars=bars.are_useful)
    largest = max((bar.total for bar in bars.rows if bar), default=0)
    lines = []
    for number, row in enumerate(table):
        line = "".join(_painted(row, columns, style))
        bar = bars.rows[number] if columns.bar and number < len(bars.rows) else None
        drawn = draw(bar, largest, columns.bar, style) if bar else ""
        lines.append(f"{line}{drawn}".rstrip() + "\n")
    if columns.bar and bars.legend:
        lines.append(f"{legend(bars.legend, style)}\n")
    return "".join(lines)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of the columns, of the gaps between them, and of the bar after them (cells)."""

    widths: tuple[int, ...]
    gap: int = _NARROW_GAP
    bar: int = 0


def _cuts_digests(table: Sequence[Sequence[Cell]], columns: _Columns) -> bool:
    return any(
        len(cell.text) > width and _DIGEST.fullmatch(cell.text)
        for row in table
        for cell, width in zip(row, columns.widths, strict=True)
    )


def _short_digest(text: str) -> str:
    """Return a digest with 12 hexadecimal digits, and other text unchanged."""
    found = _DIGEST.fullmatch(text)
    return f"{found[1]}{found[2]}" if found else text


def _painted(row: Sequence[Cell], columns: _Columns, style: Style) -> Iterator[str]:
    for cell, width in zip(row, columns.widths, strict=True):
        text, taken = cell.text, display_width(cell.text)
        if taken > width and (short := _SHORT_DIGEST.fullmatch(text)):
            # The digits are more useful than the name of the algorithm.
            text, taken = short[1], len(short[1])
        if taken > width:
            is_name = cell.meaning is Meaning.NAME
            text = fitted(
                _brief(replace(cell, text=text)),
                width,
                style.glyphs.ellipsis,
                in_the_middle=is_name,
            )
            taken = display_width(text)
        yield style.paint(text, cell.meaning, cell.link)
        yield " " * (width + columns.gap - taken)


def _columns(
    table: Sequence[Sequence[Cell]], shapes: Sequence[Shape], width: int | None, *, has_bars: bool
) -> _Columns:
    natural = _natural(table, len(shapes))
    # As in docker's tables, the last column is not padded.
    loose = [max(_MINIMUM_WIDTH, cells + _PADDING) - _PADDING for cells in natural[:-1]]
    loose += natural[-1:]
    if width is None:
        return _Columns(tuple(loose), _PADDING)
    left = _left(loose, width, _PADDING)
    has_bars = has_bars and width >= _WIDTH_FOR_BARS
    if left >= (_PADDING + _MINIMUM_BAR if has_bars else 0):
        bar = min(_MAXIMUM_BAR, left - _PADDING) if has_bars else 0
        return _Columns(tuple(loose), _PADDING, bar)
    brief = _natural(table, len(shapes), brief=True)
    if has_bars:
        found = _squeezed(brief, list(map(_for_bar, shapes)), width - _MINIMUM_BAR - _NARROW_GAP)
        if found:
            return _Columns(tuple(found), bar=min(_MAXIMUM_BAR, _left(found, width) - _NARROW_GAP))
    if left >= 0:
        return _Columns(tuple(loose), _PADDING)
    # If that does not fit, shrink text further, then all columns. In the worst case, lines are too
    # long.
    harder = [Shape(shape.least // (2 if shape.order < 3 else 1), shape.order) for shape in shapes]
    hardest = [Shape(_LAST_MINIMUM, shape.order // LAST) for shape in shapes]
    for attempt in (shapes, harder, hardest):
        found = _squeezed(brief, attempt, width)
        if found:
            return _Columns(tuple(found))
    return _Columns(tuple(min(cells, _LAST_MINIMUM) for cells in brief))


def _for_bar(shape: Shape) -> Shape:
    """Return how a column shrinks to make room for a bar: only long text does."""
    if shape.order < 1:
        return shape
    return Shape(_LONG if shape.order == 1 else sys.maxsize, shape.order)


def _left(widths: Sequence[int], width: int | None, gap: int = _NARROW_GAP) -> int:
    """Return the width that the columns leave (cells)."""
    return (width or 0) - sum(widths) - gap * (len(widths) - 1)


def _natural(table: Sequence[Sequence[Cell]], count: int, *, brief: bool = False) -> list[int]:
    """Return the widths of columns; in brief form, only the first word of a header counts."""
    return [
        max((display_width(_brief(row[at]) if brief else row[at].text) for row in table), default=0)
        for at in range(count)
    ]


def _brief(cell: Cell) -> str:
    return cell.text.split(" ")[0] if cell.meaning is Meaning.HEADER else cell.text


def _squeezed(natural: Sequence[int], shapes: Sequence[Shape], width: int) -> list[int] | None:
    """Return widths that fit, or ``None`` if a column would be narrower than its minimum."""
    widths = list(natural)
    over = sum(widths) + _NARROW_GAP * (len(widths) - 1) - width
    for order in sorted({shape.order for shape in shapes}):
        while over > 0:
            # Shrink the widest column of this order to the width of the next one.
            spare = {
                at: widths[at]
                for at, shape in enumerate(shapes)
                if shape.order == order and widths[at] > shape.least
            }
            if not spare:
                break
            widest = max(spare, key=lambda at: widths[at])
            others = [cells for at, cells in spare.items() if cells < widths[widest]]
            lower = max(shapes[widest].least, *others, 0)
            cut = min(over, widths[widest] - lower)
            widths[widest] -= cut
            over -= cut
    return widths if over <= 0 else None
