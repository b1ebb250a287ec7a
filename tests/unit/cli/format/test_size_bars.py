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
def test_a_bar_is_in_proportion_and_shows_what_is_there(
    parts: Bar, largest: int, drawn: str
) -> None:
    assert draw(parts, largest, 10, PLAIN_80) == drawn


def test_a_bar_is_drawn_with_the_signs_there_are() -> None:
    style = Style(width=80, glyphs=ASCII)
    assert draw(bar(50, 25, 25), 100, 8, style) == "####==--"
    assert draw(bar(50, 0), 100, 8, style) == "####"


def test_parts_are_told_apart_without_colour() -> None:
    drawn = draw(bar(50, 25, 25), 100, 8, PLAIN_80)
    assert len(set(drawn)) == 3


def table(*names: str) -> list[list[Cell]]:
    return [[Cell("NAME", Meaning.HEADER), Cell("SIZE NOW", Meaning.HEADER)]] + [
        [Cell(name, Meaning.NAME), Cell("10MB")] for name in names
    ]


SHAPES = (Shape(16, 1), Shape(6, 3))
BARS = Bars((None, bar(10, 5), bar(5, 0)), ((Meaning.SHARED, "shared"),))


def test_bars_stand_in_one_column_and_are_explained() -> None:
    head, one, two, below = lay_out(table("a", "bb"), SHAPES, PLAIN_80, BARS).splitlines()
    assert one.index("█") == two.index("█") > head.index("NOW")
    assert one.count("█") + one.count("▓") == 40
    assert two.count("█") == 13
    assert below == "█ shared"


@pytest.mark.parametrize("width", [None, 60])
def test_without_room_there_are_no_bars(width: int | None) -> None:
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
def test_a_bar_that_tells_nothing_is_not_drawn(one: Bar, two: Bar, *, tells: bool) -> None:
    shown = lay_out(table("a", "bb"), SHAPES, PLAIN_80, Bars((None, one, two)))
    assert ("█" in shown) == tells


def test_a_bar_does_not_cut_what_is_short() -> None:
    rows = table("x" * 30, "y" * 70)
    shown = lay_out(rows, SHAPES, Style(width=80), BARS).splitlines()
    assert "x" * 30 in shown[1]
    assert all(display_width(line) <= 80 for line in shown)


def test_a_header_gives_way_to_its_first_word_before_anything_is_cut() -> None:
    narrow = Style(width=4 + 2 + 4 + 2)
    lines = lay_out(table("abcd"), SHAPES, narrow).splitlines()
    assert lines == ["NAME  SIZE", "abcd  10MB"]


def test_a_name_keeps_both_ends() -> None:
    [_, line] = lay_out(
        table("ghcr.io/octo/" + "x" * 40 + "-end"), SHAPES, Style(width=40)
    ).splitlines()
    assert line.startswith("ghcr.io/")
    assert "…" in line
    assert "-end  10MB" in line


def test_colour_takes_no_room() -> None:
    plain = lay_out(table("a", "bb"), SHAPES, PLAIN_80)
    painted = lay_out(table("a", "bb"), SHAPES, Style(width=80, in_colour=True))
    for sequence in ("\x1b[1m", "\x1b[0m"):
        painted = painted.replace(sequence, "")
    assert painted == plain
