r"""Encode JSON like Go's encoding/json, byte for byte.

The keys of maps are sorted; structs keep their order. Unlike in Go, characters that can control a
terminal are written as ``\u`` escapes. Parsers read the same text.
"""

from __future__ import annotations

from collections.abc import Mapping

from ghcrctl.cli.format.gofloat import json_number
from ghcrctl.cli.format.printable import is_harmful
from ghcrctl.cli.format.values import NILS, Row, Struct, Time

_SHORT = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_HTML = frozenset("<>&")


def dumps(value: object, *, indent: str = "", escape_html: bool = False) -> str:
    r"""Return a value as JSON.

    Args:
        value: the value; ``values`` describes the types.
        indent: the indentation of one level; empty for one line.
        escape_html: whether ``<``, ``>`` and ``&`` become ``\u003c``, ``\u003e``, ``\u0026``.
    """
    return _Encoder(indent=indent, escape_html=escape_html).encode(value, "\n" if indent else "")


class _Encoder:
    def __init__(self, *, indent: str, escape_html: bool) -> None:
        self._indent = indent
        self._escape_html = escape_html

    def encode(self, value: object, newline: str) -> str:
        if value is None or isinstance(value, (bool, int, float, *NILS)):
            return _scalar(value)
        if isinstance(value, Row) and not self._escape_html:
            # docker marshals each row separately with default settings, and then embeds it.
            return _Encoder(indent=self._indent, escape_html=True).encode(value, newline)
        if isinstance(value, Mapping):
            return self._mapping(value, newline)
        if isinstance(value, (list, tuple)):
            inner = newline + self._indent
            items = [self.encode(item, inner) for item in value]
            return self._bracket("[", items, "]", newline)
        text = value.rfc3339 if isinstance(value, Time) else str(value)
        return _quote(text, escape_html=self._escape_html)

    def _mapping(self, value: Mapping[object, object], newline: str) -> str:
        shown = value.shown if isinstance(value, Struct) else value
        pairs = [(str(key), item) for key, item in shown.items()]
        if isinstance(value, Row) or not isinstance(value, Struct):
            pairs.sort(key=lambda pair: pair[0])
        inner, colon = newline + self._indent, ": " if self._indent else ":"
        items = [
            _quote(key, escape_html=self._escape_html) + colon + self.encode(item, inner)
            for key, item in pairs
        ]
        return self._bracket("{", items, "}", newline)

    def _bracket(self, opening: str, items: list[str], closing: str, newline: str) -> str:
        if not items:
            return opening + closing
        inner = newline + self._indent
        return opening + inner + f",{inner}".join(items) + newline + closing


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    return json_number(value) if isinstance(value, float) else "null"


def _quote(text: str, *, escape_html: bool) -> str:
    if text.isprintable() and not any(character in text for character in '"\\<>&'):
        return f'"{text}"'
    return '"' + "".join(_escaped(c, escape_html=escape_html) for c in text) + '"'


def _escaped(character: str, *, escape_html: bool) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if "\ud800" <= character <= "\udfff":
        return "\\ufffd"
    if not (is_harmful(character) or (escape_html and character in _HTML)):
        return character
    encoded = character.encode("utf-16-be")
    return "".join(f"\\u{encoded[at : at + 2].hex()}" for at in range(0, len(encoded), 2))
