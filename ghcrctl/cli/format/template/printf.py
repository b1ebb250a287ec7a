"""Format values like Go's fmt.Sprintf. Spec: Go, package fmt, "Printing".

Like Go, a wrong verb is reported in the output: ``%!d(string=hi)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gofloat import shortest
from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import Kind, kind_of, octets, type_name
from ghcrctl.cli.format.template.print_values import quote, show
from ghcrctl.cli.format.values import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

_DIRECTIVE = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\*|\d+)?(?P<dot>\.(?P<precision>\*|\d*))?"
    r"(?:\[(?P<index>\d+)\])?(?P<verb>.?)",
    re.DOTALL,
)
_WIDEST = 10_000
_BASES = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}


@dataclass(frozen=True, slots=True)
class _Spec:
    verb: str
    flags: str
    width: int = 0
    precision: int | None = None

    def pad(self, text: str) -> str:
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if "0" in self.flags else " ")

    def pad_number(self, sign: str, digits: str) -> str:
        if "0" in self.flags and "-" not in self.flags:
            digits = digits.rjust(self.width - len(sign), "0")
        return self.pad(sign + digits)

    def sign(self, *, negative: bool) -> str:
        if negative:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""


def sprintf(template: str, values: list[Any]) -> str:
    """Return formatted values.

    Args:
        template: text with verbs.
        values: the values for the verbs, in order.

    Raises:
        TemplateFaultError: a width or precision is too large.
    """
    return _Formatter(template, values).run()


class _Formatter:
    def __init__(self, template: str, values: list[Any]) -> None:
        self._template = template
        self._values = values
        self._next = 0
        self._reordered = False

    def run(self) -> str:
        text = _DIRECTIVE.sub(self._directive, self._template)
        extra = self._values[self._next :]
        if not extra or self._reordered:
            return text
        noted = ", ".join(map(_noted, extra))
        return f"{text}%!(EXTRA {noted})"

    def _directive(self, match: re.Match[str]) -> str:
        width = self._number(match["width"])
        precision = self._number(match["precision"] or "0") if match["dot"] else None
        flags = match["flags"]
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        verb = match["verb"]
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if match["index"]:
            self._reordered = True
            self._next = int(match["index"][:9]) - 1
            if not 0 <= self._next < len(self._values):
                return f"%!{verb}(BADINDEX)"
        if self._next >= len(self._values):
            return f"%!{verb}(MISSING)"
        self._next += 1
        spec = _Spec(verb, flags, width or 0, precision)
        return _format(spec, self._values[self._next - 1])

    def _number(self, source: str | None) -> int | None:
        if source is None:
            return None
        number: Any = source
        if source == "*":
            number = self._values[self._next] if self._next < len(self._values) else None
            self._next += 1
            if kind_of(number) is not Kind.INT:
                raise TemplateFaultError("printf needs a whole number for *")
        elif len(source) > 9:
            number = _WIDEST + 1
        number = int(number)
        if abs(number) > _WIDEST:
            raise TemplateFaultError(f"printf has a width or precision above {_WIDEST}")
        return int(number)


def _noted(value: Any) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={show(value)}"


def _bad_verb(spec: _Spec, value: Any) -> str:
    return f"%!{spec.verb}({_noted(value)})"


def _format(spec: _Spec, value: Any) -> str:
    if spec.verb == "T":
        return spec.pad(type_name(value))
    if value is None:
        return spec.pad("<nil>") if spec.verb == "v" else _bad_verb(spec, value)
    if isinstance(value, Duration) and spec.verb in "sv":
        return spec.pad(str(value))
    return _FORMATTERS[kind_of(value)](spec, value)


def _format_inner(spec: _Spec, value: Any) -> str:
    if value is None:
        return "interface {}(nil)" if _is_go_syntax(spec) else "<nil>"
    return _format(spec, value)


def _is_go_syntax(spec: _Spec) -> bool:
    return spec.verb == "v" and "#" in spec.flags


def _format_list(spec: _Spec, value: Any) -> str:
    items = [_format_inner(spec, item) for item in value]
    if _is_go_syntax(spec):
        return f"{type_name(value)}{{{', '.join(items)}}}"
    return f"[{' '.join(items)}]"


def _format_map(spec: _Spec, value: Any) -> str:
    keys = sorted(value, key=str)
    items = [f"{_format(spec, str(k))}:{_format_inner(spec, value[k])}" for k in keys]
    if _is_go_syntax(spec):
        return f"{type_name(value)}{{{', '.join(items)}}}"
    return f"map[{' '.join(items)}]"


def _format_struct(spec: _Spec, value: Any) -> str:
    is_named = spec.verb == "v" and ("+" in spec.flags or "#" in spec.flags)
    items = [
        (f"{name}:" if is_named else "") + _format_inner(spec, item) for name, item in value.items()
    ]
    if _is_go_syntax(spec):
        return f"{type_name(value)}{{{', '.join(items)}}}"
    return f"{{{' '.join(items)}}}"


def _format_bool(spec: _Spec, value: Any) -> str:
    if spec.verb not in ("t", "v"):
        return _bad_verb(spec, value)
    return spec.pad("true" if value else "false")


def _format_text(spec: _Spec, value: Any) -> str:
    text = str(value)
    if spec.precision is not None and spec.verb in "svq":
        text = text[: spec.precision]
    if _is_go_syntax(spec):
        return spec.pad(quote(text))
    if spec.verb in ("s", "v"):
        return spec.pad(text)
    if spec.verb == "q":
        if "#" in spec.flags and "`" not in text and text.replace("\t", "").isprintable():
            return spec.pad(f"`{text}`")
        return spec.pad(quote(text, ascii_only="+" in spec.flags))
    if spec.verb in ("x", "X"):
        cut_octets = octets(text)[: spec.precision]
        digits = cut_octets.hex(" ") if " " in spec.flags else cut_octets.hex()
        return spec.pad(digits.upper() if spec.verb == "X" else digits)
    return _bad_verb(spec, value)


def _format_int(spec: _Spec, value: Any) -> str:
    if spec.verb in ("c", "q", "U"):
        return _format_character(spec, value)
    if spec.verb not in _BASES:
        return _bad_verb(spec, value)
    digits = format(abs(value), _BASES[spec.verb])
    if spec.precision is not None:
        digits = "" if spec.precision == 0 and value == 0 else digits.rjust(spec.precision, "0")
        spec = replace(spec, flags=spec.flags.replace("0", ""))
    prefix = "0o" if spec.verb == "O" else ""
    if "#" in spec.flags:
        prefix = _PREFIXES.get(spec.verb, prefix)
    return spec.pad_number(spec.sign(negative=value < 0) + prefix, digits)


def _format_character(spec: _Spec, value: int) -> str:
    is_scalar = 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF
    character = chr(value) if is_scalar else "\ufffd"
    if spec.verb == "c":
        return spec.pad(character)
    if spec.verb == "U":
        name = f" '{character}'" if "#" in spec.flags and character.isprintable() else ""
        return spec.pad(f"U+{value:04X}{name}")
    return spec.pad(quote(character, mark="'", ascii_only="+" in spec.flags))


def _format_float(spec: _Spec, value: Any) -> str:
    magnitude = abs(value)
    if spec.verb in ("f", "F", "e", "E") or (spec.precision is not None and spec.verb in "gGv"):
        precision = 6 if spec.precision is None else spec.precision
        verb = {"v": "g", "F": "f"}.get(spec.verb, spec.verb)
        digits = f"{magnitude:.{precision}{verb}}"
    elif spec.verb in ("g", "G", "v"):
        digits = shortest(magnitude)
        digits = digits.upper() if spec.verb == "G" else digits
    else:
        return _bad_verb(spec, value)
    return spec.pad_number(spec.sign(negative=show(value).startswith("-")), digits)


_FORMATTERS: dict[Kind, Callable[[_Spec, Any], str]] = {
    Kind.BOOL: _format_bool,
    Kind.INT: _format_int,
    Kind.FLOAT: _format_float,
    Kind.TEXT: _format_text,
    Kind.LIST: _format_list,
    Kind.MAP: _format_map,
    Kind.STRUCT: _format_struct,
}
