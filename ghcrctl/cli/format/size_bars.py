"""Draw bars that compare sizes."""

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
    """A size in parts: the meaning and the size of each part in bytes, from the left."""

    parts: tuple[tuple[Meaning, int], ...] = ()

    @property
    def total(self) -> int:
        """The size of all parts (bytes)."""
        return sum(size for _, size in self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a table.

    Args:
        rows: one bar per row.
        legend: the meaning and description of parts that the columns do not explain.
    """

    rows: Sequence[Bar | None] = ()
    legend: Sequence[tuple[Meaning, str]] = ()

    @property
    def are_useful(self) -> bool:
        """Whether there is anything to compare, unlike with a single bar without parts."""
        found = [[size for _, size in bar.parts if size] for bar in self.rows if bar]
        return any(len(sizes) > 1 for sizes in found) or sum(map(bool, found)) > 1

    def with_first(self, other: Bar | None) -> Bars:
        """Return the bars with another one before them."""
        return Bars((other, *self.rows), self.legend)


NO_BARS = Bars()


def draw(bar: Bar, largest: int, cells: int, style: Style) -> str:
    """Return a bar as text.

    Args:
        bar: the bar.
        largest: the size of a bar that fills all cells (bytes).
        cells: the number of cells.
        style: what the terminal can show.
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
        # Give every non-empty part at least one cell.
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
    """Return one line that describes the parts of bars."""
    return "   ".join(
        f"{style.paint(_sign(meaning, style.glyphs), meaning)} {style.paint(text, Meaning.ASIDE)}"
        for meaning, text in entries
    )
