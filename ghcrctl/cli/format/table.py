"""Lay out tables like docker: Go's text/tabwriter with cells of at least 10 and 3 spaces between.

``table_layout`` lays out tables that fit a terminal.
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
    """Return rows as a table.

    Args:
        rows: values by field; an absent field is an empty cell.
        columns: field and header of each column, from the left.
        headers: whether the first line has the headers.
        style: what the terminal can show; in a pipe the table is docker's.
        bars: the bars of the rows, for terminals that have room for them.

    Returns:
        The lines, each with a line feed; the last column is not padded.
    """
    if not style.is_plain:
        return _for_terminal(rows, columns, headers=headers, style=style, bars=bars)
    lines = ["\t".join(header.upper() for _, header in columns)] if headers else []
    lines += ["\t".join(printable(str(row.get(f, ""))) for f, _ in columns) for row in rows]
    return align("".join(f"{line}\n" for line in lines))


def _for_terminal(
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
    return lay_out(table, shapes_of(fields), style, bars.with_first(None) if headers else bars)


def align(text: str) -> str:
    """Replace tabs with spaces so that columns line up.

    As in Go's tabwriter, a tab ends a cell, and a column extends over neighbouring lines with a
    cell in it. Text after the last tab of a line is not part of a column.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, start=0, end=len(lines))
    return "\n".join(map(_padded, lines, widths))


def _measure(lines: list[list[str]], widths: list[list[int]], *, start: int, end: int) -> None:
    # A template can have any number of tabs, too many for recursion.
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
