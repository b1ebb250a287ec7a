"""The kinds of values in Go."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ghcrctl.cli.format.values import NilStruct, StringMap, Struct


class Absent(Enum):
    """The type of NO_VALUE, which represents a missing value, such as a missing key of a map."""

    NO_VALUE = "<no value>"


NO_VALUE = Absent.NO_VALUE


class Kind(Enum):
    """The kinds of values, with their names in errors."""

    NIL = "nil"
    BOOL = "a bool"
    INT = "a whole number"
    FLOAT = "a floating-point number"
    TEXT = "a string"
    LIST = "a list"
    MAP = "a map"
    STRUCT = "an object"


_PLAIN = {bool: Kind.BOOL, int: Kind.INT, float: Kind.FLOAT, str: Kind.TEXT, list: Kind.LIST}


def kind_of(value: Any) -> Kind:
    """Return the kind of a value; other types count as text."""
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
    """Return the Go type of a value as ``%T`` prints it."""
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
    """Check whether ``if`` treats a value as true: not zero, not empty, not nil."""
    if value is NO_VALUE or isinstance(value, NilStruct):
        return False
    return isinstance(value, Struct) or bool(value)


def octets(text: str) -> bytes:
    """Return the UTF-8 bytes of a string, which Go counts and slices."""
    return text.encode("utf-8", "replace")
