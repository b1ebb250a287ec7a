"""Columns of text, laid out as docker lays them out.

What belongs here: the elastic columns of Go's text/tabwriter with docker's settings (cells at
least 10 wide, 3 spaces between). What does not: which columns a listing has (``listing``), and
tables that fit a terminal (``layout``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ghcrctl.cli.format.size_bars import Bars
    from ghcrctl.cli.format.style import Style

_MINIMUM_WIDTH = 10
_PADDING = 3


def render_rows(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[tuple[str, str]],
    *,
    headers: bool,
    style: Style = PLAIN,
    bars: Bars | None = None,
) -> str:
    """Lay out rows as a table, one line each.

    Args:
        rows: values by field; an absent field is an empty cell.
        columns: field and header of each column, left to right.
        headers: whether the first line has the headers.
        style: of the terminal; without one the table is docker's.
        bars: of the rows, for a terminal that has room for them.

    Returns:
        The lines, each with its line feed; the last column is not padded.
    """
    if not style.is_plain:
        return _for_people(rows, columns, headers=headers, style=style, bars=bars)
    lines = ["\t".join(header.upper() for _, header in columns)] if headers else []
    lines += ["\t".join(printable(str(row.get(f, ""))) for f, _ in columns) for row in rows]
    return align("".join(f"{line}\n" for line in lines))


def _for_people(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[tuple[str, str]],
    *,
    headers: bool,
    style: Style,
    bars: Bars | None,
) -> str:
    from ghcrctl.cli.format.columns import cells_of, headers_of, shapes_of
    from ghcrctl.cli.format.size_bars import NO_BARS
    from ghcrctl.cli.format.table_layout import lay_out

    fields = [field for field, _ in columns]
    table = [headers_of([header for _, header in columns])] if headers else []
    table += [cells_of(row, fields) for row in rows]
    bars = bars or NO_BARS
    return lay_out(table, shapes_of(fields), style, bars.below(None) if headers else bars)


def align(text: str) -> str:
    """Turn tabs into columns.

    As in Go's tabwriter a tab ends a cell, and a column reaches over the neighbouring lines that
    have a cell in it; what follows a line's last tab belongs to no column.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, start=0, end=len(lines))
    return "\n".join(map(_padded, lines, widths))


def _measure(lines: list[list[str]], widths: list[list[int]], *, start: int, end: int) -> None:
    # A stack rather than recursion: a template may have any number of tabs.
    pending = [(start, end, 0)]
    while pending:
        start, end, column = pending.pop()
        for first, last in _blocks(lines, start=start, end=end, column=column):
            cells = [lines[at][column] for at in range(first, last)]
            width = max(_MINIMUM_WIDTH, max(map(display_width, cells)) + _PADDING)
            for at in range(first, last):
                widths[at].append(width)
            pending.append((first, last, column + 1))


def _blocks(
    lines: list[list[str]], *, start: int, end: int, column: int
) -> Iterable[tuple[int, int]]:
    first = None
    for at in range(start, end):
        has_cell = column < len(lines[at]) - 1
        if has_cell and first is None:
            first = at
        elif not has_cell and first is not None:
            yield first, at
            first = None
    if first is not None:
        yield first, end


def _padded(cells: list[str], widths: list[int]) -> str:
    padded = [
        cell + " " * (width - display_width(cell))
        for cell, width in zip(cells[:-1], widths, strict=True)
    ]
    return "".join(padded) + cells[-1]
