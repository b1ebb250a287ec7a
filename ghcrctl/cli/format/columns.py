"""The meaning and the width of columns on a terminal, by field.

A field has the same meaning in every listing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import Marked, Meaning
from ghcrctl.cli.format.table_layout import LAST, Cell, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ABSENT = {"<none>", "<missing>", "N/A", "-"}


@dataclass(frozen=True, slots=True)
class Look:
    """The meaning of a column, and how it shrinks."""

    meaning: Meaning | None
    shape: Shape


_NAME = Look(Meaning.NAME, Shape(16, 1))
_DIGEST = Look(Meaning.ASIDE, Shape(24, 0))
_TIME = Look(None, Shape(11, 2))
_TIMESTAMP = Look(None, Shape(20, 3))
# Never truncate sizes: a cut size reads as a different one.
_SIZE = Look(None, Shape(12, LAST))
_TEXT = Look(None, Shape(16, 0))
_LOOKS = {
    "attached": Look(None, Shape(3, 2)),
    "comment": Look(Meaning.ASIDE, Shape(8, -1)),
    "createdby": _TEXT,
    "created": _TIME,
    "createdat": _TIMESTAMP,
    "createdsince": _TIME,
    "deletedat": _TIMESTAMP,
    "deletedsince": _TIME,
    "digest": _DIGEST,
    "frees": _SIZE,
    "here": Look(None, Shape(12, 0)),
    "id": Look(Meaning.ASIDE, Shape(12, 3)),
    "image": _NAME,
    "kind": Look(None, Shape(8, 2)),
    "name": _NAME,
    "package": _NAME,
    "platform": Look(Meaning.TAG, Shape(12, 1)),
    "platforms": Look(None, Shape(12, 0)),
    "repository": _NAME,
    "sharedsize": _SIZE,
    "size": _SIZE,
    "tag": Look(Meaning.TAG, Shape(10, 3)),
    "tags": Look(Meaning.TAG, Shape(12, 1)),
    "there": Look(None, Shape(12, 0)),
    "unique": _SIZE,
    "uniquesize": _SIZE,
    "updatedat": _TIMESTAMP,
    "updatedsince": _TIME,
    "version": Look(Meaning.TAG, Shape(16, 1)),
    "why": _TEXT,
}
_PLAIN = Look(None, Shape())


def shapes_of(fields: Sequence[str]) -> list[Shape]:
    """Return how columns shrink."""
    return [_LOOKS.get(field.lower(), _PLAIN).shape for field in fields]


def headers_of(names: Sequence[str]) -> list[Cell]:
    """Return the header row of a table."""
    return [Cell(name.upper(), Meaning.HEADER) for name in names]


def cells_of(row: Mapping[str, object], fields: Sequence[str]) -> list[Cell]:
    """Return a row of a table; an absent field is an empty cell."""
    return [_cell(row.get(field, ""), field) for field in fields]


def _cell(value: object, field: str) -> Cell:
    text = printable(str(value))
    meaning = Meaning.ASIDE if text in _ABSENT else _LOOKS.get(field.lower(), _PLAIN).meaning
    if isinstance(value, Marked):
        return Cell(text, value.meaning or meaning, value.link)
    return Cell(text, meaning)
