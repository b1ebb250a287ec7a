from __future__ import annotations

import pytest

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.size_bars import Bar, Bars, draw
from ghcrctl.cli.format.style import ASCII, Meaning, Style
from ghcrctl.cli.format.table_layout import Cell, Shape, lay_out

PLAIN_80 = Style(width=80)
SIGNS = ASCII


def bar(shared: int, unique: int, free: int = 0) -> Bar:
    return Bar(((Meaning.SHARED, shared), (Meaning.UNIQUE, unique), (Meaning.FREE, free)))


@pytest.mark.parametrize(
    ("parts", "largest", "drawn"),
    [
        (bar(50, 50), 100, "█████▓▓▓▓▓"),
        (bar(25, 25), 100, "██▓▓▓"),
        (bar(50, 25, 25), 100, "█████▓▓▓░░"),
        (bar(1, 99), 100, "█▓▓▓▓▓▓▓▓▓"),
        (bar(0, 0, 100), 100, "░░░░░░░░░░"),
        (bar(100, 0), 100, "██████████"),
        (bar(55, 0), 100, "█████▌"),
        (bar(1, 0), 10_000, "▏"),
        (bar(0, 0), 100, ""),
        (bar(0, 0), 0, ""),
    ],
)
def test_a_bar_is_proportional_and_shows_every_part(parts: Bar, largest: int, drawn: str) -> None:
    assert draw(parts, largest, 10, PLAIN_80) == drawn


def test_a_bar_uses_the_characters_of_the_encoding() -> None:
    style = Style(width=80, glyphs=ASCII)
    assert draw(bar(50, 25, 25), 100, 8, style) == "####==--"
    assert draw(bar(50, 0), 100, 8, style) == "####"


def test_parts_differ_without_colour() -> None:
    drawn = draw(bar(50, 25, 25), 100, 8, PLAIN_80)
    assert len(set(drawn)) == 3


def table(*names: str) -> list[list[Cell]]:
    return [[Cell("NAME", Meaning.HEADER), Cell("SIZE NOW", Meaning.HEADER)]] + [
        [Cell(name, Meaning.NAME), Cell("10MB")] for name in names
    ]


SHAPES = (Shape(16, 1), Shape(6, 3))
BARS = Bars((None, bar(10, 5), bar(5, 0)), ((Meaning.SHARED, "shared"),))


def test_bars_are_aligned_and_have_a_legend() -> None:
    head, one, two, below = lay_out(table("a", "bb"), SHAPES, PLAIN_80, BARS).splitlines()
    assert one.index("█") == two.index("█") > head.index("NOW")
    assert one.count("█") + one.count("▓") == 40
    assert two.count("█") == 13
    assert below == "█ shared"


@pytest.mark.parametrize("width", [None, 60])
def test_a_narrow_terminal_has_no_bars(width: int | None) -> None:
    shown = lay_out(table("a", "bb"), SHAPES, Style(width=width, in_colour=True), BARS)
    assert "█" not in shown


@pytest.mark.parametrize(
    ("one", "two", "tells"),
    [
        (bar(10, 0), bar(0, 0), False),
        (bar(10, 0), bar(5, 0), True),
        (bar(10, 5), bar(0, 0), True),
        (bar(0, 0), bar(0, 0), False),
    ],
)
def test_a_single_bar_is_not_drawn(one: Bar, two: Bar, *, tells: bool) -> None:
    shown = lay_out(table("a", "bb"), SHAPES, PLAIN_80, Bars((None, one, two)))
    assert ("█" in shown) == tells


def test_a_bar_does_not_cut_short_text() -> None:
    rows = table("x" * 30, "y" * 70)
    shown = lay_out(rows, SHAPES, Style(width=80), BARS).splitlines()
    assert "x" * 30 in shown[1]
    assert all(display_width(line) <= 80 for line in shown)


def test_headers_are_shortened_to_one_word_before_values_are_cut() -> None:
    narrow = Style(width=4 + 2 + 4 + 2)
    lines = lay_out(table("abcd"), SHAPES, narrow).splitlines()
    assert lines == ["NAME  SIZE", "abcd  10MB"]


def test_a_name_is_cut_in_the_middle() -> None:
    [_, line] = lay_out(
        table("ghcr.io/octo/" + "x" * 40 + "-end"), SHAPES, Style(width=40)
    ).splitlines()
    assert line.startswith("ghcr.io/")
    assert "…" in line
    assert "-end  10MB" in line


def test_colours_do_not_change_widths() -> None:
    plain = lay_out(table("a", "bb"), SHAPES, PLAIN_80)
    painted = lay_out(table("a", "bb"), SHAPES, Style(width=80, in_colour=True))
    for sequence in ("\x1b[1m", "\x1b[0m"):
        painted = painted.replace(sequence, "")
    assert painted == plain
