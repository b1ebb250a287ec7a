"""Values for templates and JSON: Go's data model in Python.

Plain Python values represent what Go would hold in an ``interface{}``: ``str``, ``bool``, ``int``,
``float``, ``None`` (nil), ``list`` or ``tuple`` (a slice) and any mapping (a map with string keys,
whose missing key prints ``<no value>``). The classes here represent docker's types that behave
differently:

- `Struct`: has fixed, ordered fields; access to another field is an error.
- `Row`: a struct of a listing, whose JSON docker sorts by key and escapes for HTML.
- `StringMap`: ``map[string]string``; `index` of a missing key is the empty text.
- `SetMap`: ``map[string]struct{}``; `index` of a missing key is the empty struct.
- `NilMap`, `NilSet`, `NilList`: nil of a typed map or slice; ``map[]`` and ``[]`` in templates,
  ``null`` in JSON.
- `NilStruct`: a nil pointer; ``<nil>`` in templates, ``null`` in JSON.
- `Duration`, `Time`: Go's types, which templates and JSON write differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SECOND = 10**9


class Struct(Mapping[str, Any]):
    """A Go struct with fixed, ordered fields.

    Args:
        fields: values by field name; JSON keeps the order.
        noun: the name of an instance in errors (``"image"``).
        aliases: field names by other names that templates accept. docker accepts both ``.Id`` and
            ``.ID`` of an image.
        shown: the fields of the JSON, if they differ: docker omits empty ones and spells others
            differently.
    """

    __slots__ = ("_aliases", "_fields", "_shown", "noun")

    def __init__(
        self,
        fields: Mapping[str, Any],
        *,
        noun: str = "object",
        aliases: Mapping[str, str] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._aliases = dict(aliases or {})
        self._shown = shown
        self.noun = noun

    @property
    def shown(self) -> Mapping[str, Any]:
        """The fields of its JSON."""
        return self if self._shown is None else self._shown

    def __getitem__(self, name: str) -> Any:
        return self._fields[name if name in self._fields else self._aliases[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._fields!r}, noun={self.noun!r})"


class NilStruct(Struct):
    """A nil pointer; its fields are those of an empty struct."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class Row(Struct):
    """A row of a listing, like docker's formatter contexts: its JSON has sorted keys."""

    __slots__ = ()


class StringMap(dict[str, str]):
    """Go's ``map[string]string``, for example labels."""

    __slots__ = ()


class SetMap(dict[str, Struct]):
    """Go's ``map[string]struct{}``, for example volumes and ports."""

    __slots__ = ()


class NilMap(StringMap):
    """A nil map."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class NilSet(SetMap):
    """A nil map of empty structs."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class NilList(list[Any]):
    """A nil slice."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


NILS = (NilList, NilMap, NilSet, NilStruct)


class Duration(int):
    """Go's ``time.Duration``: nanoseconds; a template prints ``1m30s``, JSON the number."""

    __slots__ = ()

    def __str__(self) -> str:
        if self == 0:
            return "0s"
        sign, nanoseconds = "-" if self < 0 else "", abs(int(self))
        for unit, length in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
            if nanoseconds < 1000 * length:
                return f"{sign}{_decimal(nanoseconds, length)}{unit}"
        minutes, rest = divmod(nanoseconds, 60 * _SECOND)
        hours, minutes = divmod(minutes, 60)
        longest = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{longest}{_decimal(rest, _SECOND)}s"


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    digits = len(str(unit)) - 1
    fraction = f"{rest:0{digits}}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


class Time:
    """Go's ``time.Time`` in UTC: a template prints ``2026-01-31 12:00:00 +0000 UTC``.

    Args:
        rfc3339: the time in UTC, in the format of JSON.
    """

    __slots__ = ("rfc3339",)

    def __init__(self, rfc3339: str) -> None:
        self.rfc3339 = rfc3339

    def __str__(self) -> str:
        return f"{self.rfc3339.removesuffix('Z').replace('T', ' ')} +0000 UTC"
