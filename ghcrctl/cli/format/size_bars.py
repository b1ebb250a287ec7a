"""Bars of sizes: how much of something is what.

What belongs here: drawing one. What does not: where it stands (``layout``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.cli.format.style import Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghcrctl.cli.format.style import Glyphs, Style

_DARK = {Meaning.UNIQUE}
_LIGHT = {Meaning.FREE, Meaning.BAD}


@dataclass(frozen=True, slots=True)
class Bar:
    """A size in parts. ``parts``: meaning and bytes of each, from the left."""

    parts: tuple[tuple[Meaning, int], ...] = ()

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(size for _, size in self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of a table.

    Args:
        rows: one a row.
        legend: meaning and words of the parts that are not plain from the columns.
    """

    rows: Sequence[Bar | None] = ()
    legend: Sequence[tuple[Meaning, str]] = ()

    @property
    def tell(self) -> bool:
        """Whether they tell anything: one alone that has no parts does not."""
        found = [[size for _, size in bar.parts if size] for bar in self.rows if bar]
        return any(len(sizes) > 1 for sizes in found) or sum(map(bool, found)) > 1

    def below(self, other: Bar | None) -> Bars:
        """Return them with one more at the top."""
        return Bars((other, *self.rows), self.legend)


NO_BARS = Bars()


def draw(bar: Bar, largest: int, cells: int, style: Style) -> str:
    """Draw a bar.

    Args:
        bar: what is drawn.
        largest: bytes of a bar that fills all cells.
        cells: how many there are.
        style: of the terminal.
    """
    parts = [(meaning, size) for meaning, size in bar.parts if size > 0]
    if not parts or largest < 1:
        return ""
    if len(parts) == 1 and style.glyphs.parts:
        [(meaning, size)] = parts
        if meaning not in _DARK | _LIGHT:
            return style.paint(_fine(size, largest, cells, style.glyphs), meaning)
    drawn, done, before = [], 0, 0
    for meaning, size in parts:
        before += size
        # What is there is seen, be it ever so small.
        end = min(cells, max(done + 1, round(before / largest * cells)))
        drawn.append(style.paint(_sign(meaning, style.glyphs) * (end - done), meaning))
        done = end
    return "".join(drawn)


def _fine(size: int, largest: int, cells: int, glyphs: Glyphs) -> str:
    steps = len(glyphs.parts) + 1
    whole, rest = divmod(max(1, round(size / largest * cells * steps)), steps)
    return glyphs.full * whole + (glyphs.parts[rest - 1] if rest else "")


def _sign(meaning: Meaning, glyphs: Glyphs) -> str:
    if meaning in _DARK:
        return glyphs.dark
    return glyphs.light if meaning in _LIGHT else glyphs.full


def legend(entries: Iterable[tuple[Meaning, str]], style: Style) -> str:
    """Say in one line what the parts of bars are."""
    return "   ".join(
        f"{style.paint(_sign(meaning, style.glyphs), meaning)} {style.paint(text, Meaning.ASIDE)}"
        for meaning, text in entries
    )
