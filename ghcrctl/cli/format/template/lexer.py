"""Split templates into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from ghcrctl.cli.format.template.faults import TemplateFaultError

_SPACES = " \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"\w+")
_FIELD = re.compile(r"\.\w*")
_VARIABLE = re.compile(r"\$\w*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_RAW = re.compile(r"`[^`]*`")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_.]*(?:[pP][+-]?[0-9_]*)?|[0-9_.]*(?:[eE][+-]?[0-9_]*)?)"
)
_RADIX = re.compile(r"[+-]?0[bBoO][0-9_]*")
_COMMENT_END = re.compile(r"\*/(?:[ \t\r\n]+-)?\}\}")
_DIGITS = "0123456789"
_NUMERIC = "+-" + _DIGITS
_KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with")
)


class Kind(Enum):
    """The kind of a token."""

    TEXT = auto()
    LEFT = auto()
    RIGHT = auto()
    SPACE = auto()
    KEYWORD = auto()
    IDENTIFIER = auto()
    BOOL = auto()
    NIL = auto()
    DOT = auto()
    FIELD = auto()
    VARIABLE = auto()
    NUMBER = auto()
    CHARACTER = auto()
    STRING = auto()
    PIPE = auto()
    DECLARE = auto()
    ASSIGN = auto()
    COMMA = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


_SIGNS = {
    "|": Kind.PIPE,
    "=": Kind.ASSIGN,
    ",": Kind.COMMA,
    "(": Kind.OPEN,
    ")": Kind.CLOSE,
}
_LITERALS = {
    '"': (_QUOTED, Kind.STRING, "unterminated quoted string"),
    "`": (_RAW, Kind.STRING, "unterminated raw quoted string"),
    "'": (_CHARACTER, Kind.CHARACTER, "unterminated character constant"),
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its source, and its position (characters)."""

    kind: Kind
    source: str
    offset: int


def tokenize(text: str) -> list[Token]:
    """Split a template into tokens; the last one is END.

    Raises:
        TemplateFaultError: a delimiter or quote is not closed, or a character is not allowed.
    """
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[int] = []
        self._trim_next = False
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        while self._text_part():
            if not self._comment():
                self._action()
        self._add(Kind.END, "")
        return self._tokens

    def _add(self, kind: Kind, source: str) -> None:
        self._tokens.append(Token(kind, source, self._at))
        self._at += len(source)

    def _starts(self, prefix: str, ahead: int = 0) -> bool:
        return self._text.startswith(prefix, self._at + ahead)

    def _text_part(self) -> bool:
        end = self._text.find("{{", self._at)
        found = end >= 0
        end = end if found else len(self._text)
        piece = self._text[self._at : end]
        trims = self._text.startswith("-", end + 2) and self._text[end + 3 : end + 4] in _SPACES
        trims = trims and end + 3 < len(self._text)
        start = self._at
        if self._trim_next:
            start += len(piece) - len(piece.lstrip(_SPACES))
            piece = piece.lstrip(_SPACES)
        if trims:
            piece = piece.rstrip(_SPACES)
        if piece:
            self._tokens.append(Token(Kind.TEXT, piece, start))
        self._at = end
        self._trim_next = False
        if found:
            self._left = end
            self._after_left = end + (3 if trims else 2)
        return found

    def _comment(self) -> bool:
        begin = self._after_left
        if self._text[begin - 1] == "-":
            while self._text[begin : begin + 1] and self._text[begin] in _SPACES:
                begin += 1
        if not self._text.startswith("/*", begin):
            return False
        closing = self._text.find("*/", begin + 2)
        if closing < 0:
            raise TemplateFaultError("the comment is not closed with */", offset=begin)
        end = _COMMENT_END.match(self._text, closing)
        if end is None:
            raise TemplateFaultError("}} must follow the comment's end", offset=closing)
        self._trim_next = "-" in end.group()
        self._at = end.end()
        return True

    def _action(self) -> None:
        self._add(Kind.LEFT, "{{")
        self._at = self._after_left
        while not self._right():
            if self._at >= len(self._text):
                raise TemplateFaultError("the action is not closed with }}", offset=self._left)
            self._inside()

    def _right(self) -> bool:
        space = _SPACE.match(self._text, self._at)
        trims = space is not None and self._text.startswith("-}}", space.end())
        if not trims and not self._starts("}}"):
            return False
        if self._open:
            raise TemplateFaultError("this ( is not closed", offset=self._open[-1])
        if trims and space is not None:
            self._at = space.end() + 1
        self._add(Kind.RIGHT, "}}")
        self._trim_next = trims
        return True

    def _inside(self) -> None:
        character = self._text[self._at]
        following = self._text[self._at + 1 : self._at + 2] or " "
        if character in _SPACES:
            self._match(_SPACE, Kind.SPACE)
        elif character in _LITERALS:
            self._literal(character)
        elif character in _NUMERIC or (character == "." and following in _DIGITS):
            self._number()
        elif character == ".":
            self._match(_FIELD, Kind.FIELD, alone=Kind.DOT)
        elif character == "$":
            self._match(_VARIABLE, Kind.VARIABLE)
        elif _WORD.match(character):
            self._word()
        else:
            self._sign(character)

    def _match(self, pattern: re.Pattern[str], kind: Kind, *, alone: Kind | None = None) -> None:
        found = pattern.match(self._text, self._at)
        source = found.group() if found else ""
        if len(source) == 1 and alone is not None:
            kind = alone
        if kind in (Kind.FIELD, Kind.VARIABLE):
            self._terminated(self._at + len(source))
        self._add(kind, source)

    def _literal(self, quote: str) -> None:
        pattern, kind, fault = _LITERALS[quote]
        found = pattern.match(self._text, self._at)
        if found is None:
            raise TemplateFaultError(fault, offset=self._at)
        self._add(kind, found.group())

    def _number(self) -> None:
        found = _RADIX.match(self._text, self._at) or _NUMBER.match(self._text, self._at)
        source = found.group() if found else ""
        rest = _WORD.match(self._text, self._at + len(source))
        if rest is not None or not any(digit.isdigit() for digit in source):
            source += rest.group() if rest else ""
            raise TemplateFaultError(f"bad number syntax: {source!r}", offset=self._at)
        self._add(Kind.NUMBER, source)

    def _word(self) -> None:
        found = _WORD.match(self._text, self._at)
        source = found.group() if found else ""
        self._terminated(self._at + len(source))
        kind = Kind.IDENTIFIER
        if source in _KEYWORDS:
            kind = Kind.KEYWORD
        elif source in ("true", "false"):
            kind = Kind.BOOL
        elif source == "nil":
            kind = Kind.NIL
        self._add(kind, source)

    def _terminated(self, at: int) -> None:
        rest = self._text[at : at + 2]
        if rest and rest[0] not in _SPACES + ".,|:)(=" and rest != "}}":
            raise TemplateFaultError(f"unexpected character {rest[0]!r}", offset=at)

    def _sign(self, character: str) -> None:
        if self._starts(":="):
            self._add(Kind.DECLARE, ":=")
            return
        if character not in _SIGNS:
            raise TemplateFaultError(f"unexpected character {character!r}", offset=self._at)
        if character == "(":
            self._open.append(self._at)
        elif character == ")":
            if not self._open:
                raise TemplateFaultError("this ) closes nothing", offset=self._at)
            self._open.pop()
        self._add(_SIGNS[character], character)
