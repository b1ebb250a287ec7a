"""What a value is, in Go's eyes.

What belongs here: kinds, type names, truth, and the value that is not there. What does not: how
values print (``printing``) and compare (``comparison``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ghcrctl.cli.format.values import NilStruct, StringMap, Struct


class Absent(Enum):
    """What stands for a value that does not exist, as a map's missing key."""

    NO_VALUE = "<no value>"


NO_VALUE = Absent.NO_VALUE


class Kind(Enum):
    """The kinds of values; each value is the word for it in errors."""

    NIL = "nil"
    BOOL = "a bool"
    INT = "a whole number"
    FLOAT = "a floating-point number"
    TEXT = "a text"
    LIST = "a list"
    MAP = "a map"
    STRUCT = "an object"


_PLAIN = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT, str: Kind.TEXT, list: Kind.LIST}


def kind_of(value: Any) -> Kind:
    """Tell the kind of a value; what is none of Go's kinds counts as text."""
    if value is None or value is NO_VALUE:
        return Kind.NIL
    known = _PLAIN.get(type(value))
    if known is not None:
        return known
    if isinstance(value, Mapping):
        return Kind.STRUCT if isinstance(value, Struct) else Kind.MAP
    if isinstance(value, (list, tuple)):
        return Kind.LIST
    return next((kind for base, kind in _PLAIN.items() if isinstance(value, base)), Kind.TEXT)


def type_name(value: Any) -> str:
    """Name the Go type that a value stands for, as ``%T`` prints it."""
    kind = kind_of(value)
    if kind is Kind.LIST:
        is_texts = bool(value) and all(isinstance(item, str) for item in value)
        return "[]string" if is_texts else "[]interface {}"
    if kind is Kind.MAP:
        return "map[string]string" if isinstance(value, StringMap) else "map[string]interface {}"
    if kind is Kind.STRUCT:
        return str(value.noun)
    names = {Kind.NIL: "<nil>", Kind.INT: "int", Kind.FLOAT: "float64", Kind.BOOL: "bool"}
    return names.get(kind, "string")


def is_true(value: Any) -> bool:
    """Tell whether ``if`` takes a value for true: not zero, not empty, not nil."""
    if value is NO_VALUE or isinstance(value, NilStruct):
        return False
    return isinstance(value, Struct) or bool(value)


def octets(text: str) -> bytes:
    """Give the UTF-8 bytes of a text, which are what Go counts and cuts."""
    return text.encode("utf-8", "replace")
