"""Parse Go's literals: strings, characters and numbers."""

from __future__ import annotations

from ghcrctl.cli.format.template.faults import TemplateFaultError

_SIMPLE = {
    "a": 7,
    "b": 8,
    "f": 12,
    "n": 10,
    "r": 13,
    "t": 9,
    "v": 11,
    "\\": 92,
    "'": 39,
    '"': 34,
}
_LENGTHS = {"x": 2, "u": 4, "U": 8}
_LONGEST_NUMBER = 400


def unquote(source: str) -> str:
    """Return the value of a quoted literal. Spec: Go, "String literals".

    Raises:
        TemplateFaultError: an escape is unknown or incomplete.
    """
    quote, body = source[0], source[1:-1]
    if quote == "`":
        return body.replace("\r", "")
    octets, at = bytearray(), 0
    while at < len(body):
        if body[at] != "\\":
            octets += body[at].encode("utf-8", "replace")
            at += 1
            continue
        piece, at = _escape(body, at + 1, quote)
        octets += piece
    return octets.decode("utf-8", "replace")


def _escape(body: str, at: int, quote: str) -> tuple[bytes, int]:
    letter = body[at : at + 1]
    if letter in _SIMPLE and not (letter in "'\"" and letter != quote):
        return bytes((_SIMPLE[letter],)), at + 1
    if letter in _LENGTHS:
        end = at + 1 + _LENGTHS[letter]
        number = _digits(body[at + 1 : end], base=16, length=_LENGTHS[letter])
        return (bytes((number,)) if letter == "x" else _encode(number)), end
    if letter and letter in "01234567":
        number = _digits(body[at : at + 3], base=8, length=3)
        if number < 256:
            return bytes((number,)), at + 3
    raise TemplateFaultError(f"unknown escape \\{letter}", hint=r"write a backslash as \\")


def _digits(text: str, *, base: int, length: int) -> int:
    alphabet = "0123456789abcdef"[:base]
    if len(text) != length or any(digit not in alphabet for digit in text.lower()):
        raise TemplateFaultError(f"an escape needs {length} digits, found {text!r}")
    return int(text, base)


def _encode(number: int) -> bytes:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise TemplateFaultError(f"there is no character U+{number:04X}")
    return chr(number).encode()


def read_character(source: str) -> int:
    """Return the number of a character constant such as ``'a'``.

    Raises:
        TemplateFaultError: the constant is not exactly one character.
    """
    text = unquote(source)
    if len(text) != 1:
        raise TemplateFaultError(f"malformed character constant {source}")
    return ord(text)


def read_number(source: str) -> int | float:
    """Return the value of a number in any of Go's notations. Spec: Go, "Integer literals".

    Raises:
        TemplateFaultError: the text is not a number, or does not fit 64 bits.
    """
    if len(source) > _LONGEST_NUMBER:
        raise TemplateFaultError("the number is too long")
    try:
        number = _integer(source)
    except ValueError:
        return _float(source)
    if not -(2**63) <= number < 2**63:
        raise TemplateFaultError(f"{source} overflows int")
    return number


def _integer(source: str) -> int:
    digits = source.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567_":
        # A leading zero means octal in Go.
        return int(source[: len(source) - len(digits)] + "0o" + digits[1:], 8)
    return int(source, 0)


def _float(source: str) -> float:
    try:
        if source.lstrip("+-")[:2].lower() == "0x":
            number = float.fromhex(source.replace("_", "")) if "p" in source.lower() else None
        else:
            number = float(source)
    except (ValueError, OverflowError):
        number = None
    if number is None or number in (float("inf"), float("-inf")):
        raise TemplateFaultError(f"bad number syntax: {source!r}")
    return number
