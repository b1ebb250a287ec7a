r"""Go's ``path.Match``: the patterns of docker's ``reference`` filter.

Other globs follow the shell's rules (``tag_pattern``). Source: Go's ``path`` package, ``Match``.
"""

from __future__ import annotations

import re

from ghcrctl.errors import InvalidFilterError

_PLAIN = {"*": "[^/]*", "?": "[^/]"}
# Expressions for a class whose ranges are all empty.
_NOTHING, _ANYTHING = "(?!)", "(?s:.)"


def path_pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression for a pattern that must match a whole name.

    Raises:
        InvalidFilterError: the pattern is malformed.
    """
    return re.compile(_PatternParser(text).parse() + r"\Z")


class _PatternParser:
    """Converts one pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._text):
            piece = self._piece()
            # A second star would only add backtracking.
            if piece != _PLAIN["*"] or pieces[-1:] != [piece]:
                pieces.append(piece)
        return "".join(pieces)

    def _piece(self) -> str:
        character = self._next()
        if character == "[":
            return self._class()
        if character == "\\":
            return re.escape(self._next())
        return _PLAIN.get(character, re.escape(character))

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise self._malformed()
        self._at += 1
        return self._text[self._at - 1]

    def _class(self) -> str:
        is_negated = self._skip("^")
        ranges = [self._range()]
        while not self._skip("]"):
            ranges.append(self._range())
        shown = "".join(f"{re.escape(a)}-{re.escape(b)}" for a, b in ranges if a <= b)
        if not shown:
            return _ANYTHING if is_negated else _NOTHING
        return f"[{'^' if is_negated else ''}{shown}]"

    def _range(self) -> tuple[str, str]:
        low = self._class_character()
        return low, (self._class_character() if self._skip("-") else low)

    def _class_character(self) -> str:
        character = self._next()
        if character in "-]":
            raise self._malformed()
        return self._next() if character == "\\" else character

    def _skip(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _malformed(self) -> InvalidFilterError:
        return InvalidFilterError(
            f"invalid pattern `{self._text}`: it ends within `[` or after `\\`, or has an "
            "incomplete range",
            hint="* matches any text, ? a character, [a-z] or [^a-z] a range; escape with \\",
        )
