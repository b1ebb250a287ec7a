r"""Go's ``path.Match``: the patterns of docker's ``reference`` filter.

Other globs of ours follow the shell (``tag_pattern``). Source: Go's ``path`` package, ``Match``.
"""

from __future__ import annotations

import re

from ghcrctl.errors import InvalidFilterError

_PLAIN = {"*": "[^/]*", "?": "[^/]"}
# Nothing and anything, for a class of ranges that are all empty.
_NOTHING, _ANYTHING = "(?!)", "(?s:.)"


def path_pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression for a pattern; it has to match a whole name.

    Raises:
        InvalidFilterError: the pattern is malformed, in any part of it.
    """
    return re.compile(_Reader(text).read() + r"\Z")


class _Reader:
    """One reading of a pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._text):
            piece = self._piece()
            # A second star adds nothing but backtracking.
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
            f"invalid pattern `{self._text}`: it ends within `[` or after `\\`, "
            "or a range has no beginning or end",
            hint="use * and ? for characters, [a-z] or [^a-z] for one of a range, \\ before others",
        )
