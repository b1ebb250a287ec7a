"""How text looks on a terminal: colour by meaning, links, and which signs there are to draw with.

What belongs here: what a terminal can, and how a meaning is shown. What does not: layout
(``layout``), and what has which meaning (each command). No meaning is shown by colour alone.

Sources: https://no-color.org; https://force-color.org; ECMA-48, 8.3.117 (SGR); the terminals' own
notes on OSC 8, https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_RESET = "\x1b[0m"
_FALSE = {"0", "false", "no", "off"}
# The first version of VTE whose links do not end the terminal.
_VTE_WITH_LINKS = 5001
_KONSOLE_WITH_LINKS = 201200
_PROGRAMS_WITH_LINKS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "rio", "Tabby"}
_TERMS_WITH_LINKS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
# They hand links on only where they were told to.
_MULTIPLEXERS = ("screen", "tmux")


class Meaning(Enum):
    """What a text is."""

    HEADER = auto()
    NAME = auto()
    TAG = auto()
    ASIDE = auto()
    GOOD = auto()
    WARN = auto()
    BAD = auto()
    SHARED = auto()
    UNIQUE = auto()
    FREE = auto()
    PART = auto()
    ERROR = auto()
    WARNING = auto()
    HINT = auto()
    HERE = auto()


# Bold, dim and reverse, which every terminal adapts to its background.
_ATTRIBUTES = {
    Meaning.HEADER: ("bold",),
    Meaning.NAME: ("bold",),
    Meaning.ASIDE: ("dim",),
    Meaning.PART: ("dim",),
    Meaning.ERROR: ("bold",),
    Meaning.WARNING: ("bold",),
    Meaning.HINT: ("bold",),
    Meaning.HERE: ("reverse",),
}
# Each colour as its number among 16, which the user can configure, and among 256. The latter have a
# contrast of at least 3.9 to both black and white (WCAG 2.1, 1.4.3 requires 3 for large text).
_GREEN, _YELLOW, _RED, _BLUE, _CYAN = (2, 28), (3, 130), (1, 196), (4, 63), (6, 30)
_COLORS = {
    Meaning.TAG: _CYAN,
    Meaning.GOOD: _GREEN,
    Meaning.WARN: _YELLOW,
    Meaning.BAD: _RED,
    Meaning.SHARED: _BLUE,
    Meaning.UNIQUE: _CYAN,
    Meaning.FREE: _YELLOW,
    Meaning.ERROR: _RED,
    Meaning.WARNING: _YELLOW,
    Meaning.HINT: _CYAN,
}
_ATTRIBUTE_CODES = {"bold": "1", "dim": "2", "reverse": "7"}


@lru_cache(maxsize=64)
def _rendition(meaning: Meaning, *, has_256_colours: bool) -> str:
    """Return the parameters of the control sequence SGR for a meaning."""
    codes = [_ATTRIBUTE_CODES[name] for name in _ATTRIBUTES.get(meaning, ())]
    if meaning in _COLORS:
        basic, extended = _COLORS[meaning]
        codes.append(f"38;5;{extended}" if has_256_colours else f"{30 + basic}")
    return ";".join(codes)


def rich_styles(*, has_256_colours: bool) -> dict[str, str]:
    """Return the same colours and attributes as rich styles, named like the meanings."""
    styles = {}
    for meaning in Meaning:
        words = list(_ATTRIBUTES.get(meaning, ()))
        if meaning in _COLORS:
            words.append(f"color({_COLORS[meaning][has_256_colours]})")
        styles[meaning.name.lower()] = " ".join(words)
    return styles


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Signs to draw with.

    Args:
        ellipsis: stands for what was cut.
        fork: leads to a branch that others follow; ``end`` to the last one.
        trunk: leads past a branch; ``gap`` below the last one.
        full: of a bar: a whole cell; ``dark`` and ``light`` are told from it without colour.
        parts: of a bar, from the left: one to seven eighths of a cell; or nothing.
        deleted: marks what is deleted; ``kept`` what is kept.
        pointer: marks the selected line.
    """

    ellipsis: str = "…"
    fork: str = "├── "
    end: str = "└── "
    trunk: str = "│   "
    gap: str = "    "
    full: str = "█"
    dark: str = "▓"
    light: str = "░"
    parts: str = "▏▎▍▌▋▊▉"
    deleted: str = "✗"
    kept: str = "✓"
    pointer: str = "▸"


ASCII = Glyphs("...", "|-- ", "`-- ", "|   ", "    ", "#", "=", "-", "", "x", ".", ">")
UNICODE = Glyphs()


@lru_cache(maxsize=8)
def glyphs_for(encoding: str) -> Glyphs:
    """Return the signs that an encoding has; an unknown one has ASCII's."""
    chosen = {}
    for field in fields(Glyphs):
        sign = getattr(UNICODE, field.name)
        try:
            sign.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            sign = getattr(ASCII, field.name)
        chosen[field.name] = sign
    return Glyphs(**chosen)


class Marked(str):
    """A value that knows what it means on a terminal; elsewhere it is its text.

    Args:
        text: the value.
        meaning: how it is shown.
        link: the address of a page about it.
    """

    __slots__ = ("link", "meaning")
    meaning: Meaning | None
    link: str

    def __new__(cls, text: str, meaning: Meaning | None = None, link: str = "") -> Marked:
        """Make one."""
        made = super().__new__(cls, text)
        made.meaning = meaning
        made.link = link
        return made


@dataclass(frozen=True, slots=True)
class Style:
    """What can be shown at one end of output.

    Args:
        width: cells of a line; ``None`` off a terminal.
        in_colour: whether the terminal understands colours and the user wants them.
        has_256_colours: whether the terminal has 256 colours, not 16.
        has_links: whether links are.
        glyphs: to draw with.
        encoding: in which text is written.
    """

    width: int | None = None
    in_colour: bool = False
    has_256_colours: bool = False
    has_links: bool = False
    glyphs: Glyphs = UNICODE
    encoding: str = "utf-8"

    @property
    def has_all_signs(self) -> bool:
        """Whether any text can be written as it is."""
        return is_utf8(self.encoding)

    @property
    def is_full_terminal(self) -> bool:
        """Whether output is a terminal that shows every character, so that rich can draw on it."""
        return self.width is not None and self.has_all_signs

    def written(self, text: str) -> str:
        """Return a text with the escapes that stand for what cannot be written (``streams``)."""
        if text.isascii():
            return text
        from ghcrctl.cli.streams import escaped_for

        return escaped_for(text, self.encoding)

    @property
    def is_plain(self) -> bool:
        """Whether output is for programs: as docker writes it, of any width, without colour."""
        return self.width is None and not self.in_colour

    def uncut(self, *, wanted: bool) -> Style:
        """Return a style by which nothing is cut, where that is wanted; else this one."""
        return replace(self, width=None) if wanted else self

    def paint(self, text: str, meaning: Meaning | None, link: str = "") -> str:
        """Show a text, of which nothing can steer a terminal any more, as what it means.

        Args:
            text: cleaned (``safe``).
            meaning: ``None`` for no colour.
            link: a web address; what is none is left out.
        """
        if not text:
            return text
        if self.in_colour and meaning is not None:
            codes = _rendition(meaning, has_256_colours=self.has_256_colours)
            text = f"\x1b[{codes}m{text}{_RESET}"
        if self.has_links and link.startswith(("https://", "http://")):
            # The sequence may hold printable ASCII only.
            safe = "".join(c if "!" <= c <= "~" else _escaped(c) for c in link)
            text = f"\x1b]8;;{safe}\x1b\\{text}\x1b]8;;\x1b\\"
        return text


PLAIN = Style()


def style_of(stream: TextIO, environ: Mapping[str, str], width: int | None) -> Style:
    """Find out what can be shown on a stream.

    Args:
        stream: the output.
        environ: the environment.
        width: of the terminal, in cells; ``None`` where the stream is none.
    """
    in_colour = wants_colour(environ, is_terminal=width is not None) and obeys(stream)
    from ghcrctl.cli.streams import is_c_locale

    encoding = getattr(stream, "encoding", None) or "ascii"
    return Style(
        width=width,
        in_colour=in_colour,
        has_256_colours=has_256_colours(environ),
        has_links=in_colour and width is not None and knows_links(environ),
        glyphs=ASCII if is_c_locale() else glyphs_for(encoding),
        encoding=encoding,
    )


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Tell whether a person wants colour: ``NO_COLOR`` before what forces it, before the rest."""
    if environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name):
            return environ[name].lower() not in _FALSE
    if environ.get("TERM") == "dumb" or environ.get("CLICOLOR") == "0":
        return False
    return is_terminal


def has_256_colours(environ: Mapping[str, str]) -> bool:
    """Check whether a terminal is known to show 256 colours."""
    if "256color" in environ.get("TERM", "") or environ.get("COLORTERM"):
        return True
    return os.name == "nt" or environ.get("TERM", "").startswith(_TERMS_WITH_LINKS)


def is_utf8(encoding: str) -> bool:
    """Check whether an encoding is UTF-8, which has every character."""
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def knows_links(environ: Mapping[str, str]) -> bool:
    """Tell whether a terminal is known to show links, and not the sequence that makes one."""
    forced = environ.get("FORCE_HYPERLINK")
    if forced:
        return forced.lower() not in _FALSE
    term = environ.get("TERM", "")
    if environ.get("CI") or environ.get("TMUX") or term.startswith(_MULTIPLEXERS):
        return False
    if environ.get("WT_SESSION") or environ.get("KITTY_WINDOW_ID"):
        return True
    if environ.get("TERM_PROGRAM") in _PROGRAMS_WITH_LINKS or term.startswith(_TERMS_WITH_LINKS):
        return True
    return (
        _number(environ, "VTE_VERSION") >= _VTE_WITH_LINKS
        or _number(environ, "KONSOLE_VERSION") >= _KONSOLE_WITH_LINKS
    )


def _number(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def obeys(stream: TextIO) -> bool:
    """Tell whether a console obeys sequences; those of Windows must be told to."""
    if os.name != "nt":
        return True
    from ghcrctl.cli.format.windows import obey_sequences

    return obey_sequences(stream)
