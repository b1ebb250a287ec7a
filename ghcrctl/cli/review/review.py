"""Review a deletion plan on the whole screen."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.columns import cells_of, headers_of, shapes_of
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table_layout import lay_out
from ghcrctl.cli.review.picker import HELPS, SEARCH_HELPS, Choice, Picker
from ghcrctl.cli.review.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.table_layout import Cell
    from ghcrctl.cli.review.picker import Row
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan

# Rows for the title, the headers, the position, the message and the keys.
_OTHER_ROWS = 5
# This many rows before and after the visible ones determine the widths of columns so that widths
# do not change with every key.
_NEIGHBOURS = 100
# Cells for the pointer, the mark and the spaces between them.
_MARK = 4
# If the columns are narrower than this on average, some are omitted, in this order.
_MINIMUM_COLUMN = 11
_OMITTED = ("kind", "created", "why", "package", "frees")


def review(
    plans: Sequence[Plan], graphs: Mapping[str, Graph], now: datetime, style: Style
) -> list[Plan] | None:
    """Let the user exclude versions from plans; return the new plans, ``None`` to quit.

    Args:
        plans: one plan per package.
        graphs: the package graphs, by package.
        now: the current time.
        style: what the terminal on standard error can show.
    """
    picker = Picker(plans, graphs, now)
    screen = Screen(sys.stderr, lambda columns, rows: lines(picker, style, columns, rows))
    with screen.opened():
        for key in screen.pressed():
            choice = picker.press(key)
            if choice is Choice.QUIT:
                return None
            if choice is Choice.DONE:
                break
    return picker.plans


def lines(picker: Picker, style: Style, columns: int, rows: int) -> list[str]:
    """Return the lines of the screen.

    Args:
        picker: the state of the review.
        style: what the terminal can show.
        columns: the width of the terminal (cells).
        rows: the height of the terminal.
    """
    room = max(1, rows - _OTHER_ROWS)
    first = max(0, min(picker.at - room // 2, len(picker.shown) - room))
    table = _table(picker, replace(style, width=columns), first, room)
    blank = [""] * (room + 1 - len(table))
    helps = SEARCH_HELPS if picker.is_searching else HELPS
    keys = next((text for text in helps if len(text) <= columns), helps[-1])
    below = (picker.status, keys, _position(picker, room))
    cut = [fitted(line, columns, style.glyphs.ellipsis) for line in (picker.title, *below)]
    return [
        style.paint(cut[0], Meaning.HEADER),
        *table,
        *blank,
        # Terminals with few rows have no room for the position.
        *([style.paint(cut[3], Meaning.ASIDE)] if rows > _OTHER_ROWS else []),
        cut[1],
        style.paint(cut[2], Meaning.ASIDE),
    ]


def _table(picker: Picker, style: Style, first: int, room: int) -> list[str]:
    start = max(0, first - _NEIGHBOURS)
    shown = list(enumerate(picker.shown))[start : first + room + _NEIGHBOURS]
    fields = _fields(picker, (style.width or 0) - _MARK)
    table = [headers_of([field.upper() for field in fields])]
    table += [_cells(picker, row, fields) for _, row in shown]
    narrower = replace(style, width=(style.width or 0) - _MARK)
    header, *found = lay_out(table, shapes_of(fields), narrower).splitlines()
    if shown:
        colourless = replace(narrower, in_colour=False)
        plain = lay_out(table, shapes_of(fields), colourless).splitlines()
        here = picker.at - start
        text = plain[here + 1]
        rest = " " * ((narrower.width or 0) - display_width(text))
        found[here] = style.paint(f"{text}{rest}", Meaning.HERE)
    marks = [_mark(picker, row, style, is_here=at == picker.at) for at, row in shown]
    lines = [f"{mark} {line}" for mark, line in zip(marks, found, strict=True)]
    return [" " * _MARK + header, *lines[first - start : first - start + room]]


def _position(picker: Picker, room: int) -> str:
    """Return the position in the list, if the list does not fit."""
    count = len(picker.shown)
    return f"{' ' * _MARK}{picker.at + 1} of {count}" if count > room else ""


def _fields(picker: Picker, width: int) -> list[str]:
    """Return the columns that fit the width."""
    fields = list(picker.columns)
    for field in _OMITTED:
        if field in fields and len(fields) * _MINIMUM_COLUMN >= width:
            fields.remove(field)
    return fields


def _mark(picker: Picker, row: Row, style: Style, *, is_here: bool) -> str:
    glyphs = style.glyphs
    if picker.is_deleted(row):
        sign = style.paint(glyphs.deleted, Meaning.BAD)
    else:
        sign = style.paint(glyphs.kept, Meaning.GOOD)
    return f"{glyphs.pointer if is_here else ' '} {sign}"


def _cells(picker: Picker, row: Row, fields: Sequence[str]) -> list[Cell]:
    cells = cells_of(picker.cells(row), fields)
    if picker.is_deleted(row):
        return cells
    return [replace(cell, meaning=Meaning.ASIDE) for cell in cells]
