"""Print values like Go's ``%v``, and quote text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gofloat import shortest
from ghcrctl.cli.format.template.kinds import NO_VALUE, Kind, kind_of
from ghcrctl.cli.format.values import NilStruct

if TYPE_CHECKING:
    from collections.abc import Callable

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}


def show(value: Any) -> str:
    """Return a value like Go's ``%v``: ``[a b]``, ``map[a:1 b:2]``, ``<nil>``, ``true``."""
    writer = _WRITERS.get(kind_of(value))
    return str(value) if writer is None else writer(value)


def _show_nil(value: Any) -> str:
    return str(NO_VALUE.value) if value is NO_VALUE else "<nil>"


def _show_bool(value: Any) -> str:
    return "true" if value else "false"


def _show_list(value: Any) -> str:
    return f"[{' '.join(map(show, value))}]"


def _show_map(value: Any) -> str:
    pairs = (f"{key}:{show(value[key])}" for key in sorted(value, key=str))
    return f"map[{' '.join(pairs)}]"


def _show_struct(value: Any) -> str:
    if isinstance(value, NilStruct):
        return "<nil>"
    return f"{{{' '.join(map(show, value.values()))}}}"


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.NIL: _show_nil,
    Kind.BOOL: _show_bool,
    Kind.FLOAT: shortest,
    Kind.LIST: _show_list,
    Kind.MAP: _show_map,
    Kind.STRUCT: _show_struct,
}


def quote(text: str, *, mark: str = '"', ascii_only: bool = False) -> str:
    """Quote text like Go's strconv.Quote."""
    return mark + "".join(_escape(c, mark=mark, ascii_only=ascii_only) for c in text) + mark


def _escape(character: str, *, mark: str, ascii_only: bool) -> str:
    if character == mark:
        return "\\" + mark
    if character in _ESCAPES:
        return _ESCAPES[character]
    number = ord(character)
    if character.isprintable() and (number < 0x7F or not ascii_only):
        return character
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def join_shown(values: list[Any]) -> str:
    """Join values like fmt.Sprint, with a space between two values that are not strings."""
    pieces: list[str] = []
    for at, value in enumerate(values):
        neighbours = (kind_of(v) is Kind.TEXT for v in (values[at - 1], value))
        if at and not any(neighbours):
            pieces.append(" ")
        pieces.append(show(value))
    return "".join(pieces)
