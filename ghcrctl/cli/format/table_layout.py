"""Tables for people: as wide as the terminal, no wider, in colour, with bars.

What belongs here: how wide columns are, and what gives way where room is short. What does not:
docker's tables for programs (``table``).
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
# Docker's, and what is used where that is too wide.
_MINIMUM_WIDTH, _PADDING = 10, 3
_CLOSE = 2
_LEAST_OF_ALL = 3
# The order of what is cut only where nothing else is left.
LAST = 4
# Of a name, before a bar stands behind it.
_LONG = 36
# A bar takes what is left, between these.
_LEAST_BAR, _MOST_BAR = 10, 40
# Below this, text needs all the room.
_WIDTH_FOR_BARS = 72


@dataclass(frozen=True, slots=True)
class Cell:
    """A text at its place in a table, and what it means."""

    text: str
    meaning: Meaning | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a column gives way.

    Args:
        least: cells below which it is cut only when nothing else can be.
        order: columns with a lower one are cut first.
    """

    least: int = 6
    order: int = 3


def lay_out(
    table: Sequence[Sequence[Cell]],
    shapes: Sequence[Shape],
    style: Style,
    bars: Bars = NO_BARS,
) -> str:
    """Lay out a table for a terminal.

    Args:
        table: rows of as many cells as there are shapes, the headers among them.
        shapes: of the columns.
        style: of the terminal.
        bars: drawn behind the rows where there is room, all in proportion.

    Returns:
        The lines, each with its line feed.
    """
    if not style.has_all_signs:
        table = [[replace(cell, text=style.written(cell.text)) for cell in row] for row in table]
    columns = _columns(table, shapes, style.width, has_bars=bars.tell)
    if _cuts_digests(table, columns):
        table = [[replace(cell, text=_short_digest(cell.text)) for cell in row] for row in table]
        columns = _columns(table, shapes, style.width, has_bars=bars.tell)
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
    """How wide each column is, and a bar behind them; ``gap``: cells between."""

    widths: tuple[int, ...]
    gap: int = _CLOSE
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
            # Digits are worth more than the name of the algorithm.
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
    # As docker has it: the last column is as wide as it is.
    loose = [max(_MINIMUM_WIDTH, cells + _PADDING) - _PADDING for cells in natural[:-1]]
    loose += natural[-1:]
    if width is None:
        return _Columns(tuple(loose), _PADDING)
    left = _left(loose, width, _PADDING)
    has_bars = has_bars and width >= _WIDTH_FOR_BARS
    if left >= (_PADDING + _LEAST_BAR if has_bars else 0):
        bar = min(_MOST_BAR, left - _PADDING) if has_bars else 0
        return _Columns(tuple(loose), _PADDING, bar)
    brief = _natural(table, len(shapes), brief=True)
    if has_bars:
        found = _squeezed(brief, list(map(_for_bar, shapes)), width - _LEAST_BAR - _CLOSE)
        if found:
            return _Columns(tuple(found), bar=min(_MOST_BAR, _left(found, width) - _CLOSE))
    if left >= 0:
        return _Columns(tuple(loose), _PADDING)
    # Where that is too much, texts give way further, then all; at worst a line is too long.
    harder = [Shape(shape.least // (2 if shape.order < 3 else 1), shape.order) for shape in shapes]
    hardest = [Shape(_LEAST_OF_ALL, shape.order // LAST) for shape in shapes]
    for tried in (shapes, harder, hardest):
        found = _squeezed(brief, tried, width)
        if found:
            return _Columns(tuple(found))
    return _Columns(tuple(min(cells, _LEAST_OF_ALL) for cells in brief))


def _for_bar(shape: Shape) -> Shape:
    """Return how a column gives way to a bar: only what is long anyway does."""
    if shape.order < 1:
        return shape
    return Shape(_LONG if shape.order == 1 else sys.maxsize, shape.order)


def _left(widths: Sequence[int], width: int | None, gap: int = _CLOSE) -> int:
    """Return how many cells of a line columns leave."""
    return (width or 0) - sum(widths) - gap * (len(widths) - 1)


def _natural(table: Sequence[Sequence[Cell]], count: int, *, brief: bool = False) -> list[int]:
    """Return how wide columns are; in brief, of headers the first word counts."""
    return [
        max((display_width(_brief(row[at]) if brief else row[at].text) for row in table), default=0)
        for at in range(count)
    ]


def _brief(cell: Cell) -> str:
    return cell.text.split(" ")[0] if cell.meaning is Meaning.HEADER else cell.text


def _squeezed(natural: Sequence[int], shapes: Sequence[Shape], width: int) -> list[int] | None:
    """Return widths with which a line fits, or ``None`` where a column would be below its least."""
    widths = list(natural)
    over = sum(widths) + _CLOSE * (len(widths) - 1) - width
    for order in sorted({shape.order for shape in shapes}):
        while over > 0:
            # What can be cut at this order, the widest first, down to the one after it.
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
