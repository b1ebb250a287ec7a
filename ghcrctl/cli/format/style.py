"""The style of output: colors by meaning, links, and the characters to draw with.

Color alone never carries a meaning.

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
# The first version of VTE in which links do not crash the terminal.
_VTE_WITH_LINKS = 5001
_KONSOLE_WITH_LINKS = 201200
_PROGRAMS_WITH_LINKS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "rio", "Tabby"}
_TERMS_WITH_LINKS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
# Multiplexers only pass links through if configured to.
_MULTIPLEXERS = ("screen", "tmux")


class Meaning(Enum):
    """The meaning of a piece of text."""

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
# Each color as its number among 16, which the user can configure, and among 256. The latter have a
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
    """Return the same colors and attributes as rich styles, named like the meanings."""
    styles = {}
    for meaning in Meaning:
        words = list(_ATTRIBUTES.get(meaning, ()))
        if meaning in _COLORS:
            words.append(f"color({_COLORS[meaning][has_256_colours]})")
        styles[meaning.name.lower()] = " ".join(words)
    return styles


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters to draw with.

    Args:
        ellipsis: marks text that was cut.
        fork: begins a branch that is not the last one; ``end`` begins the last one.
        trunk: continues a tree past a branch; ``gap`` is below the last branch.
        full: a whole cell of a bar. ``dark`` and ``light`` differ from it without color.
        parts: one to seven eighths of a cell, from the left; empty if there are none.
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
    """Return the characters that an encoding supports, and ASCII instead of the others."""
    chosen = {}
    for field in fields(Glyphs):
        glyph = getattr(UNICODE, field.name)
        try:
            glyph.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            glyph = getattr(ASCII, field.name)
        chosen[field.name] = glyph
    return Glyphs(**chosen)


class Marked(str):
    """Text with a meaning and a link, which terminals show.

    Args:
        text: the text.
        meaning: its meaning.
        link: the URL of a page about it.
    """

    __slots__ = ("link", "meaning")
    meaning: Meaning | None
    link: str

    def __new__(cls, text: str, meaning: Meaning | None = None, link: str = "") -> Marked:
        """Create a marked text."""
        marked = super().__new__(cls, text)
        marked.meaning = meaning
        marked.link = link
        return marked


@dataclass(frozen=True, slots=True)
class Style:
    """What an output stream can show.

    Args:
        width: the width of the terminal (cells); ``None`` if the stream is not a terminal.
        in_colour: whether the terminal understands colors and the user wants them.
        has_256_colours: whether the terminal has 256 colors, not 16.
        has_links: whether the terminal shows links.
        glyphs: the characters to draw with.
        encoding: the encoding of the stream.
    """

    width: int | None = None
    in_colour: bool = False
    has_256_colours: bool = False
    has_links: bool = False
    glyphs: Glyphs = UNICODE
    encoding: str = "utf-8"

    @property
    def has_all_characters(self) -> bool:
        """Whether the encoding supports every character."""
        return is_utf8(self.encoding)

    @property
    def is_full_terminal(self) -> bool:
        """Whether output is a terminal that shows every character, as rich requires."""
        return self.width is not None and self.has_all_characters

    def written(self, text: str) -> str:
        """Return text with escapes for characters that the encoding does not support."""
        if text.isascii():
            return text
        from ghcrctl.cli.streams import escaped_for

        return escaped_for(text, self.encoding)

    @property
    def is_plain(self) -> bool:
        """Whether the output has docker's format: any width, no colors."""
        return self.width is None and not self.in_colour

    def uncut(self, *, wanted: bool) -> Style:
        """Return this style, without a width if nothing should be cut."""
        return replace(self, width=None) if wanted else self

    def paint(self, text: str, meaning: Meaning | None, link: str = "") -> str:
        """Return text with the control sequences for its meaning and link.

        Args:
            text: the text, already escaped with `printable`.
            meaning: its meaning; ``None`` for no color.
            link: a URL; other text is ignored.
        """
        if not text:
            return text
        if self.in_colour and meaning is not None:
            codes = _rendition(meaning, has_256_colours=self.has_256_colours)
            text = f"\x1b[{codes}m{text}{_RESET}"
        if self.has_links and link.startswith(("https://", "http://")):
            # The sequence can only contain printable ASCII.
            safe = "".join(c if "!" <= c <= "~" else _escaped(c) for c in link)
            text = f"\x1b]8;;{safe}\x1b\\{text}\x1b]8;;\x1b\\"
        return text


PLAIN = Style()


def style_of(stream: TextIO, environ: Mapping[str, str], width: int | None) -> Style:
    """Return what a stream can show.

    Args:
        stream: the stream.
        environ: the environment.
        width: the width of the terminal (cells); ``None`` if the stream is not a terminal.
    """
    in_colour = wants_colour(environ, is_terminal=width is not None) and understands_sequences(
        stream
    )
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
    """Check whether the user wants colors. ``NO_COLOR`` overrides variables that force them."""
    if environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name):
            return environ[name].lower() not in _FALSE
    if environ.get("TERM") == "dumb" or environ.get("CLICOLOR") == "0":
        return False
    return is_terminal


def has_256_colours(environ: Mapping[str, str]) -> bool:
    """Check whether a terminal is known to show 256 colors."""
    if "256color" in environ.get("TERM", "") or environ.get("COLORTERM"):
        return True
    return os.name == "nt" or environ.get("TERM", "").startswith(_TERMS_WITH_LINKS)


def is_utf8(encoding: str) -> bool:
    """Check whether an encoding is UTF-8, which supports every character."""
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def knows_links(environ: Mapping[str, str]) -> bool:
    """Check whether a terminal is known to show links instead of their control sequences."""
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


def understands_sequences(stream: TextIO) -> bool:
    """Check whether a terminal understands control sequences; on Windows, turn them on."""
    if os.name != "nt":
        return True
    from ghcrctl.cli.format.windows_console import enable_sequences

    return enable_sequences(stream)
