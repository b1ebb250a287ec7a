"""Columns of text, laid out as docker lays them out.

What belongs here: the elastic columns of Go's text/tabwriter with docker's settings (cells at
least 10 wide, 3 spaces between). What does not: which columns a listing has (``listing``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.safe import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MINIMUM_WIDTH = 10
_PADDING = 3
# On a terminal that is too narrow for that: closer together, and no column cut to less.
_SQUEEZED_PADDING = 2
_LEAST_WIDTH = 8


def render_rows(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[tuple[str, str]],
    *,
    headers: bool,
    width: int | None = None,
) -> str:
    """Lay out rows as a table, one line each.

    Args:
        rows: values by field; an absent field is an empty cell.
        columns: field and header of each column, left to right.
        headers: whether the first line has the headers.
        width: of the terminal, in cells; without it lines are as long as they are.

    Returns:
        The lines, each with its line feed; the last column is not padded.
    """
    lines = ["\t".join(header.upper() for _, header in columns)] if headers else []
    lines += ["\t".join(printable(str(row.get(f, ""))) for f, _ in columns) for row in rows]
    return align("".join(f"{line}\n" for line in lines), width)


def display_width(text: str) -> int:
    """Count the terminal cells of a text: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    import unicodedata

    width = 0
    for character in text:
        if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
            continue
        width += 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
    return width


def align(text: str, width: int | None = None) -> str:
    """Turn tabs into columns.

    As in Go's tabwriter a tab ends a cell, and a column reaches over the neighbouring lines that
    have a cell in it; what follows a line's last tab belongs to no column.

    Args:
        text: lines with tabs.
        width: of the terminal, in cells. Where a line would be longer, columns stand closer, and
            the widest are cut until it fits.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, start=0, end=len(lines))
    laid_out = list(map(_padded, lines, widths))
    if width is not None and any(display_width(line.rstrip()) > width for line in laid_out):
        laid_out = _squeezed(lines, width)
    return "\n".join(laid_out)


def _squeezed(lines: list[list[str]], width: int) -> list[str]:
    count = max(map(len, lines))
    widths = [max(display_width(c[i]) for c in lines if i < len(c)) for i in range(count)]
    over = sum(widths) + _SQUEEZED_PADDING * (count - 1) - width
    while over > 0 and max(widths) > _LEAST_WIDTH:
        widest = widths.index(max(widths))
        lower = max(_LEAST_WIDTH, *(w for w in (0, *widths) if w < widths[widest]))
        cut = min(over, widths[widest] - lower)
        widths[widest] -= cut
        over -= cut
    gap = " " * _SQUEEZED_PADDING
    return [
        gap.join(_cut(c, w) for c, w in zip(cells, widths, strict=False)).rstrip()
        for cells in lines
    ]


def _cut(text: str, width: int) -> str:
    """Return a text of just so many cells."""
    if display_width(text) > width:
        while display_width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - display_width(text))


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
