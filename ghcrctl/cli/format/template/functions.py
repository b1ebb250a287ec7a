"""The functions of templates: Go's and docker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.template import access, comparison
from ghcrctl.cli.format.template.arguments import Function, int_of, text_of
from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import NO_VALUE, Kind, is_true, kind_of, octets
from ghcrctl.cli.format.template.print_values import join_shown, show
from ghcrctl.cli.format.template.printf import sprintf

if TYPE_CHECKING:
    from collections.abc import Callable

_WIDEST_PAD = 10_000
_HTML = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)
_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"'}


def _println(values: list[Any]) -> str:
    return " ".join(map(show, values)) + "\n"


def _printf(values: list[Any]) -> str:
    return sprintf(text_of(values[0], "printf"), values[1:])


def _plain(values: list[Any]) -> str:
    return join_shown([NO_VALUE.value if value is None else value for value in values])


def _html(values: list[Any]) -> str:
    return _plain(values).translate(_HTML)


def _js(values: list[Any]) -> str:
    return "".join(map(_js_character, _plain(values)))


def _js_character(character: str) -> str:
    if character in _JS:
        return _JS[character]
    if character in "<>&=" or not character.isprintable():
        return f"\\u{ord(character):04X}"
    return character


def _urlquery(values: list[Any]) -> str:
    from urllib.parse import quote_plus

    return quote_plus(octets(_plain(values)))


def _split(values: list[Any]) -> list[str]:
    text, separator = text_of(values[0], "split"), text_of(values[1], "split")
    return text.split(separator) if separator else list(text)


def _join(values: list[Any]) -> str:
    items, separator = values[0], text_of(values[1], "join")
    if items is None:
        return ""
    if kind_of(items) is not Kind.LIST:
        raise TemplateFaultError(f"join needs a list, not {kind_of(items).value}")
    return separator.join(map(show, items))


def _title(values: list[Any]) -> str:
    pieces, in_word = [], False
    for character in text_of(values[0], "title"):
        pieces.append(character if in_word else _one_for_one(character, str.title))
        is_ascii_separator = character.isascii() and not (character.isalnum() or character == "_")
        in_word = not (is_ascii_separator or character.isspace())
    return "".join(pieces)


def _lower(values: list[Any]) -> str:
    text = text_of(values[0], "lower")
    return "".join(_one_for_one(character, str.lower) for character in text)


def _upper(values: list[Any]) -> str:
    text = text_of(values[0], "upper")
    return "".join(_one_for_one(character, str.upper) for character in text)


def _one_for_one(character: str, convert: Callable[[str], str]) -> str:
    # Go converts single characters; Python would turn a sharp s into two letters.
    converted = convert(character)
    return converted if len(converted) == 1 else character


def _pad(values: list[Any]) -> str:
    text = text_of(values[0], "pad")
    before, after = (int_of(value, "pad") for value in values[1:])
    if not (0 <= before <= _WIDEST_PAD and 0 <= after <= _WIDEST_PAD):
        raise TemplateFaultError(f"pad takes 0 to {_WIDEST_PAD} spaces")
    return f"{' ' * before}{text}{' ' * after}" if text else text


def _truncate(values: list[Any]) -> str:
    text, size = text_of(values[0], "truncate"), int_of(values[1], "truncate")
    if size < 0:
        raise TemplateFaultError("truncate needs a length of 0 or more")
    return octets(text)[:size].decode("utf-8", "replace")


def _unchanged(values: list[Any]) -> str:
    return text_of(values[0], "a header")


def _no_call(values: list[Any]) -> object:
    raise TemplateFaultError(f"call needs a function, not {kind_of(values[0]).value}")


def _decided(values: list[Any]) -> Any:
    return values[-1]


def _table(entries: dict[str, tuple[Callable[[list[Any]], Any], int, int | None]]) -> Any:
    return {name: Function(*entry) for name, entry in entries.items()}


FUNCTIONS: dict[str, Function] = _table(
    {
        "and": (_decided, 1, None),
        "or": (_decided, 1, None),
        "not": (lambda values: not is_true(values[0]), 1, 1),
        "call": (_no_call, 1, None),
        "len": (access.length, 1, 1),
        "index": (access.index, 1, None),
        "slice": (access.cut, 1, 4),
        "print": (join_shown, 0, None),
        "println": (_println, 0, None),
        "printf": (_printf, 1, None),
        "html": (_html, 0, None),
        "js": (_js, 0, None),
        "urlquery": (_urlquery, 0, None),
        "eq": (comparison.equal, 2, None),
        "ne": (comparison.unequal, 2, 2),
        "lt": (comparison.less, 2, 2),
        "le": (comparison.less_or_equal, 2, 2),
        "gt": (comparison.greater, 2, 2),
        "ge": (comparison.greater_or_equal, 2, 2),
        "json": (lambda values: dumps(values[0]), 1, 1),
        "split": (_split, 2, 2),
        "join": (_join, 2, 2),
        "title": (_title, 1, 1),
        "lower": (_lower, 1, 1),
        "upper": (_upper, 1, 1),
        "pad": (_pad, 3, 3),
        "truncate": (_truncate, 2, 2),
    }
)

# The header of a table is its template applied to the column headers, with functions that do not
# change them.
HEADER_FUNCTIONS: dict[str, Function] = FUNCTIONS | _table(
    {
        "json": (_unchanged, 1, 1),
        "split": (_unchanged, 2, 2),
        "join": (_unchanged, 2, 2),
        "title": (_unchanged, 1, 1),
        "lower": (_unchanged, 1, 1),
        "upper": (_unchanged, 1, 1),
        "truncate": (_unchanged, 2, 2),
    }
)
