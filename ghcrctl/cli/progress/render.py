"""Lay out the progress display for the size of a terminal, as a rich renderable."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.progress.amounts import percent, size_text, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ghcrctl.cli.progress.snapshot import Countdown, Row, Snapshot

# Widths in terminal cells.
_LABEL, _SPEED, _LEFT, _PERCENT = 12, 9, 10, 4
# A line with a shorter bar leaves out a column; with less than the minimum it has no bar.
_PREFERRED_BAR, _MINIMUM_BAR = 8, 4
# Free cells at the end of a line: terminals echo `^C` and `^Z` there, and some wrap a full line.
_MARGIN, _NARROW_MARGIN, _NARROW = 3, 1, 30
_MAXIMUM_WAITS = 3


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of the columns in cells; 0 means that the column is left out."""

    label: int
    amount: int
    speed: int = 0
    left: int = 0
    bar: int = 0
    is_percent: bool = False

    @property
    def fixed(self) -> int:
        """The width without the bar; a space precedes each column except the first."""
        return self.label + 1 + sum(w + 1 for w in (self.amount, self.speed, self.left) if w)


def render(snapshot: Snapshot, columns: int, rows: int, ellipsis: str) -> RenderableType | None:
    """Lay out a snapshot; return ``None`` if it is empty.

    Args:
        snapshot: the state to show.
        columns: width of the terminal (cells).
        rows: height of the terminal. The first row stays free so that the display never scrolls.
        ellipsis: marks text that was cut.
    """
    if not snapshot:
        return None
    width = max(columns - (_MARGIN if columns > _NARROW else _NARROW_MARGIN), 1)
    height = max(rows - 1, 1)
    waits = sorted(snapshot.waits, key=lambda wait: -wait.left)[: min(_MAXIMUM_WAITS, height)]
    total = snapshot.total if height > len(waits) else None
    shown, more, has_more = _rows_that_fit(snapshot, height - len(waits) - bool(total))
    layout = _columns([*shown, total] if total else shown, width)
    parts = _lines(shown, layout, width, ellipsis)
    if has_more:
        parts.append(_text(f"and {more} more", width, ellipsis, "aside"))
    if total:
        parts.append(_grid([total], layout, ellipsis, "header"))
    parts += [_wait(wait, width, ellipsis) for wait in waits]
    return Constrain(Group(*parts), width)


def _rows_that_fit(snapshot: Snapshot, room: int) -> tuple[Sequence[Row], int, bool]:
    """Return the rows that fit, the number of other rows, and whether it fits as well."""
    if len(snapshot.rows) + bool(snapshot.more) <= room:
        return snapshot.rows, snapshot.more, snapshot.more > 0
    shown = snapshot.rows[: max(room - 1, 0)]
    return shown, snapshot.more + len(snapshot.rows) - len(shown), room > 0


def _columns(rows: Sequence[Row], width: int) -> _Columns:
    """Choose the columns that fit: drop the speed, then show percentages, then drop the time."""
    rows = [row for row in rows if not row.note]
    label = max((display_width(row.label) for row in rows), default=0)
    label = min(max(label, _LABEL), max(_LABEL, width // 3))
    amount = max((_amount_width(row) for row in rows), default=0)
    speed = _SPEED if any(row.speed is not None for row in rows) else 0
    is_timed = any(row.speed is not None or row.left is not None for row in rows)
    left = max(_LEFT, *(len(_left(row)) for row in rows)) if is_timed else 0
    choices = (
        _Columns(label, amount, speed, left),
        _Columns(label, amount, 0, left),
        _Columns(label, _PERCENT, 0, left, is_percent=True),
        _Columns(label, _PERCENT, is_percent=True),
    )
    chosen = next((c for c in choices if width - c.fixed >= _PREFERRED_BAR), choices[-1])
    bar = width - chosen.fixed
    if bar < _MINIMUM_BAR:
        return chosen if bar >= -1 else _Columns(min(label, width), 0)
    return _Columns(label, chosen.amount, chosen.speed, chosen.left, bar, chosen.is_percent)


def _amount_width(row: Row) -> int:
    if row.total is None:
        return len("999.9MB")
    return 2 * len(_amount(row.total, row)) + 1


def _lines(
    rows: Sequence[Row], layout: _Columns, width: int, ellipsis: str
) -> list[RenderableType]:
    """Return one grid for consecutive rows; a row with a note has no columns."""
    lines: list[RenderableType] = []
    for has_note, group in groupby(rows, key=lambda row: bool(row.note)):
        if has_note:
            lines += [_noted(row, layout, width, ellipsis) for row in group]
        else:
            lines.append(_grid(list(group), layout, ellipsis))
    return lines


def _grid(rows: Sequence[Row], layout: _Columns, ellipsis: str, style: str = "") -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=layout.label, no_wrap=True, style=style)
    if layout.bar:
        grid.add_column(width=layout.bar)
    for width in (layout.amount, layout.speed, layout.left):
        if width:
            grid.add_column(width=width, no_wrap=True, justify="right")
    for row in rows:
        grid.add_row(*_cells(row, layout, ellipsis))
    return grid


def _cells(row: Row, layout: _Columns, ellipsis: str) -> list[RenderableType]:
    cells: list[RenderableType] = [_text(row.label, layout.label, ellipsis)]
    if layout.bar:
        cells.append(_bar(row, layout.bar))
    if layout.amount:
        cells.append(_share(row) if layout.is_percent else _amounts(row))
    if layout.speed:
        speed = "" if row.speed is None else f"{size_text(int(row.speed))}/s"
        cells.append(Text(speed, "aside"))
    if layout.left:
        cells.append(Text(_left(row), "aside"))
    return cells


def _bar(row: Row, width: int) -> RenderableType:
    if row.total is None:
        return ""
    # A total of 0 would be drawn as an unknown one.
    done, total = (row.done, row.total) if row.total else (1, 1)
    return ProgressBar(
        total, done, width, style="aside", complete_style="good", finished_style="good"
    )


def _noted(row: Row, layout: _Columns, width: int, ellipsis: str) -> Text:
    """Return a row that shows its note instead of its progress."""
    label = _text(row.label, layout.label, ellipsis)
    label.pad_right(max(layout.label - label.cell_len, 0) + 1)
    return label + _text(row.note, width - layout.label - 1, ellipsis, "warn")


def _text(text: str, width: int, ellipsis: str, style: str = "") -> Text:
    """Return text that fits; rich's own ellipsis does not exist in ASCII."""
    return Text(
        fitted(printable(text), max(width, 0), ellipsis), style, no_wrap=True, overflow="crop"
    )


def _left(row: Row) -> str:
    return "" if row.left is None else f"{time_text(row.left)} left"


def _amounts(row: Row) -> str:
    """Return ``3.1MB/45.0MB``, both in the unit of the total."""
    if row.total is None:
        return _amount(row.done, row)
    return f"{_amount(row.done, row)}/{_amount(row.total, row)}"


def _amount(value: int, row: Row) -> str:
    return size_text(value, row.total) if row.of_bytes else str(value)


def _share(row: Row) -> str:
    return f"{percent(row.done, row.total)}%" if row.total else ""


def _wait(wait: Countdown, width: int, ellipsis: str) -> Text:
    """Return a line for a wait; on a narrow terminal the reason is cut, not the time."""
    end = f"; {wait.verb} in {time_text(wait.left)}{wait.note}"
    if width < 2 * len(end):
        end = f": {time_text(wait.left)}"
    reason = _text(wait.reason, max(width - len(end), 1), ellipsis)
    return _text(f"{reason.plain}{end}", width, ellipsis, "warn")
