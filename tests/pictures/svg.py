"""Draw the output of a terminal as SVG, for light and dark pages in one file.

The picture loads nothing, not even a font: each word has its own position, so any monospaced font
works, and block characters are drawn as rectangles.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style

_CELL, _LINE, _MARGIN = 8, 18, 16
_BASE = 14
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_LIGHT = {
    "page": "#ffffff", "text": "#24292f", "edge": "#d0d7de", "black": "#24292f", "red": "#cf222e",
    "green": "#116329", "yellow": "#9a6700", "blue": "#0969da", "magenta": "#8250df",
    "cyan": "#1b7c83", "white": "#6e7781",
}  # fmt: skip
_DARK = {
    "page": "#0d1117", "text": "#e6edf3", "edge": "#30363d", "black": "#484f58", "red": "#ff7b72",
    "green": "#3fb950", "yellow": "#d29922", "blue": "#58a6ff", "magenta": "#bc8cff",
    "cyan": "#39c5cf", "white": "#b1bac4",
}  # fmt: skip
# The filled share of a cell, and its opacity.
_BLOCKS = {"█": (1.0, 1.0), "▓": (1.0, 0.7), "▒": (1.0, 0.55), "░": (1.0, 0.4)}
_BLOCKS |= {sign: (number / 8, 1.0) for number, sign in enumerate("▏▎▍▌▋▊▉", 1)}
_WORDS = re.compile(r"(\s+)|([█▓▒░▏▎▍▌▋▊▉]+)")


def draw(text: str, width: int, title: str) -> str:
    """Return a terminal as SVG.

    Args:
        text: the output with its control sequences. Only the last version of a line is drawn.
        width: the width of the terminal (cells).
        title: the alternative text.
    """
    lines = [line.rpartition("\r\x1b[K")[2] for line in text.rstrip("\n").split("\n")]
    across, down = width * _CELL + 2 * _MARGIN, len(lines) * _LINE + 2 * _MARGIN
    body = "\n".join(_line(line, number) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}" '
        f'width="{across}" role="img" aria-label="{escape(title)}">\n'
        f"<style>\n{_sheet(_LIGHT)}\n@media (prefers-color-scheme: dark) {{\n{_sheet(_DARK)}\n}}\n"
        "text { font: 13.33px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', "
        "monospace; white-space: pre }\n.bold { font-weight: bold }\n.dim { opacity: 0.6 }\n"
        "rect { shape-rendering: crispEdges }\n"
        "</style>\n"
        f'<rect class="page edge" x="1" y="1" width="{across - 2}" height="{down - 2}" rx="8"/>\n'
        f"{body}\n</svg>\n"
    )


def _sheet(colours: dict[str, str]) -> str:
    page = f".page {{ fill: {colours['page']} }}\n.edge {{ stroke: {colours['edge']} }}"
    fills = [f".{name} {{ fill: {colours[name]} }}" for name in ("text", *_COLOURS)]
    return "\n".join((page, *fills))


def _line(line: str, number: int) -> str:
    console = Console(width=10_000, color_system="truecolor", force_terminal=True)
    top = _MARGIN + number * _LINE
    column, drawn = 0, []
    for segment in Text.from_ansi(line, end="").render(console):
        for word in _words(segment.text):
            drawn.append(_word(word, column, top, segment.style))
            column += cell_len(word)
    return "".join(drawn)


def _words(text: str) -> Iterator[str]:
    yield from (part for part in _WORDS.split(text) if part)


def _word(word: str, column: int, top: int, style: Style | None) -> str:
    left = _MARGIN + column * _CELL
    if style and style.reverse:
        length = cell_len(word) * _CELL
        place = f'x="{left}" y="{top}" width="{length}" height="{_LINE}"'
        behind = f'<rect class="text" {place}/>'
        return behind + ("" if word.isspace() else _text(word, left, top, "page"))
    if word.isspace():
        return ""
    classes = " ".join(_classes(style))
    if word[0] in _BLOCKS:
        return "".join(_blocks(word, left, top, classes))
    return _text(word, left, top, classes)


def _text(word: str, left: int, top: int, classes: str) -> str:
    length = f' textLength="{cell_len(word) * _CELL}"' if len(word) > 1 else ""
    return f'<text class="{classes}" x="{left}" y="{top + _BASE}"{length}>{escape(word)}</text>'


def _blocks(word: str, left: int, top: int, classes: str) -> Iterator[str]:
    # Equal neighbours are one rectangle, without visible seams.
    for match in re.finditer(r"(.)\1*", word):
        part, opacity = _BLOCKS[match[1]]
        width = (len(match[0]) - 1 + part) * _CELL
        yield (
            f'<rect class="{classes}" x="{left + match.start() * _CELL:g}" y="{top + 1}" '
            f'width="{width:g}" height="{_LINE - 4}" fill-opacity="{opacity}"/>'
        )


def _classes(style: Style | None) -> Iterator[str]:
    number = style.color.number if style and style.color else None
    yield "text" if number is None else _COLOURS[number % 8]
    if style and style.bold:
        yield "bold"
    if style and style.dim:
        yield "dim"
