"""The values that templates and JSON are made from: Go's data model in Python's clothes.

Plain Python values stand for what Go would hold in an ``interface{}``: ``str``, ``bool``, ``int``,
``float``, ``None`` (nil), ``list`` or ``tuple`` (a slice) and any mapping (a map with string keys,
whose missing key prints ``<no value>``). Where docker's types behave differently, the classes here
say so:

- `Struct`: has fixed, ordered fields; asking for another field is an error.
- `Row`: a struct of a listing, whose JSON docker sorts by key and escapes for HTML.
- `StringMap`: ``map[string]string``; `index` of a missing key is the empty text.
- `NilMap`, `NilList`: nil of a typed map or slice; ``map[]`` and ``[]`` in templates, ``null`` in
  JSON.

What belongs here: the classes. What does not: what templates do with them (``template``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Struct(Mapping[str, Any]):
    """Fixed fields in their order, as of a Go struct.

    Args:
        fields: values by field name; the order is kept in JSON.
        noun: what the thing is called in errors (``"image"``).
        aliases: other names by field name, which templates accept and JSON does not show: docker
            takes both ``.Id`` and ``.ID`` of an image.
    """

    __slots__ = ("_aliases", "_fields", "noun")

    def __init__(
        self,
        fields: Mapping[str, Any],
        *,
        noun: str = "object",
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._aliases = dict(aliases or {})
        self.noun = noun

    def __getitem__(self, name: str) -> Any:
        return self._fields[name if name in self._fields else self._aliases[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._fields!r}, noun={self.noun!r})"


class Row(Struct):
    """One row of a listing, as docker's formatter contexts: JSON has its keys sorted."""

    __slots__ = ()


class StringMap(dict[str, str]):
    """Go's ``map[string]string``, as of labels."""

    __slots__ = ()


class NilMap(StringMap):
    """A typed map that is nil."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()


class NilList(list[Any]):
    """A typed slice that is nil."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
