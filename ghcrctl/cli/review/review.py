"""The review of a plan on the screen.

What belongs here: its lines. What does not: what keys do (``picker``), the terminal (``screen``).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.columns import cells_of, headers_of, shapes_of
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table_layout import lay_out
from ghcrctl.cli.review.picker import HELPS, SEEKING_HELPS, Choice, Picker
from ghcrctl.cli.review.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.table_layout import Cell
    from ghcrctl.cli.review.picker import Row
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan

# Title, headers, an empty line, message, keys.
_AROUND = 5
_NEIGHBOURS = 100
# The pointer, what becomes of a version, and what is between.
_MARK = 4
# Cells of a column on average, below which some are left out; and in which order they are.
_COLUMN = 11
_LEFT_OUT = ("kind", "created", "why", "package", "frees")


def review(
    plans: Sequence[Plan], graphs: Mapping[str, Graph], now: datetime, style: Style
) -> list[Plan] | None:
    """Let a person take versions out of plans; return what is left, or ``None`` for nothing at all.

    Args:
        plans: one a package.
        graphs: by the packages' names.
        now: the present.
        style: of the terminal, which is standard error.
    """
    picker = Picker(plans, graphs, now)
    screen = Screen(sys.stderr, lambda columns, rows: lines(picker, style, columns, rows))
    with screen.taken():
        for key in screen.pressed():
            choice = picker.press(key)
            if choice is Choice.QUIT:
                return None
            if choice is Choice.DONE:
                break
    return picker.plans


def lines(picker: Picker, style: Style, columns: int, rows: int) -> list[str]:
    """Make the lines of the screen.

    Args:
        picker: the review.
        style: of the terminal.
        columns: its width, in cells.
        rows: its height, in lines.
    """
    room = max(1, rows - _AROUND)
    first = max(0, min(picker.at - room // 2, len(picker.shown) - room))
    table = _table(picker, replace(style, width=columns), first, room)
    blank = [""] * (room + 1 - len(table))
    helps = SEEKING_HELPS if picker.is_seeking else HELPS
    keys = next((text for text in helps if len(text) <= columns), helps[-1])
    below = (picker.told, keys, _where(picker, room))
    cut = [fitted(line, columns, style.glyphs.ellipsis) for line in (picker.title, *below)]
    return [
        style.paint(cut[0], Meaning.HEADER),
        *table,
        *blank,
        # Of a few lines, none is to spare.
        *([style.paint(cut[3], Meaning.ASIDE)] if rows > _AROUND else []),
        cut[1],
        style.paint(cut[2], Meaning.ASIDE),
    ]


def _table(picker: Picker, style: Style, first: int, room: int) -> list[str]:
    # Neighbours have a say in how wide columns are, lest they jump with each line.
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


def _where(picker: Picker, room: int) -> str:
    """Say which line this is, where there are more than can be seen."""
    count = len(picker.shown)
    return f"{' ' * _MARK}{picker.at + 1} of {count}" if count > room else ""


def _fields(picker: Picker, width: int) -> list[str]:
    """Return the columns that a terminal has room for."""
    fields = list(picker.columns)
    for field in _LEFT_OUT:
        if field in fields and len(fields) * _COLUMN >= width:
            fields.remove(field)
    return fields


def _mark(picker: Picker, row: Row, style: Style, *, is_here: bool) -> str:
    glyphs = style.glyphs
    goes = picker.goes(row)
    sign = style.paint(glyphs.goes if goes else glyphs.stays, Meaning.BAD if goes else Meaning.GOOD)
    return f"{glyphs.pointer if is_here else ' '} {sign}"


def _cells(picker: Picker, row: Row, fields: Sequence[str]) -> list[Cell]:
    cells = cells_of(picker.cells(row), fields)
    if picker.goes(row):
        return cells
    return [replace(cell, meaning=Meaning.ASIDE) for cell in cells]
