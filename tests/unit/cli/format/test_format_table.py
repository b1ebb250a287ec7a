from __future__ import annotations

import pytest

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.style import Style, glyphs_for
from ghcrctl.cli.format.table import align, render_rows

COLUMNS = [("a", "first"), ("b", "Second"), ("c", "third")]


def test_columns_are_as_wide_as_dockers() -> None:
    rows = [
        {"a": "ghcr.io/octo/app", "b": "1.0", "c": "13.3kB"},
        {"a": "x", "b": "latest-and-greatest", "c": ""},
    ]
    assert render_rows(rows, COLUMNS, headers=True) == (
        "FIRST              SECOND                THIRD\n"
        "ghcr.io/octo/app   1.0                   13.3kB\n"
        "x                  latest-and-greatest   \n"
    )


def test_a_narrow_column_is_ten_wide() -> None:
    assert render_rows([{"a": "1", "b": "2"}], COLUMNS[:2], headers=False) == "1         2\n"


def test_without_rows_there_are_headers() -> None:
    assert render_rows([], COLUMNS, headers=True) == "FIRST     SECOND    THIRD\n"
    assert render_rows([], COLUMNS, headers=False) == ""


def test_control_characters_are_visible_and_counted() -> None:
    rows = [{"a": "evil\x1b[2J\tx\ny", "b": "|"}, {"a": "0123456789012345678901", "b": "|"}]
    assert render_rows(rows, COLUMNS[:2], headers=False) == (
        "evil\\x1b[2J\\tx\\ny        |\n0123456789012345678901   |\n"
    )


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("日本", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("\uff46", 2),
        ("😀", 2),
        ("a\u200db", 2),
        ("\u0915\u094d\u200d\u0937", 2),
        ("👩\u200d⚕\ufe0f", 2),
        ("❤\ufe0f\u200d🔥", 2),
        ("❤\ufe0f", 2),
        ("", 0),
    ],
)
def test_width_counts_terminal_cells(text: str, width: int) -> None:
    assert display_width(text) == width


def test_wide_characters_keep_columns_aligned() -> None:
    rows = [{"a": "日本日本日本", "b": "|"}, {"a": "abcdefghijkl", "b": "|"}]
    assert render_rows(rows, COLUMNS[:2], headers=False) == ("日本日本日本   |\nabcdefghijkl   |\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\n", "a         b\n"),
        ("no tabs\nat all", "no tabs\nat all"),
        # A line without the cell ends the column; the next one starts another.
        ("a-long-first-cell\tx\n-\nb\ty\n", "a-long-first-cell   x\n-\nb         y\n"),
        ("a\t\tc\nb\t0123456789\td\n", "a                      c\nb         0123456789   d\n"),
        ("a\t\n", "a         \n"),
    ],
)
def test_alignment_matches_go_tabwriter(text: str, expected: str) -> None:
    assert align(text) == expected


def test_any_number_of_tabs_works() -> None:
    assert align("\t" * 3000) == " " * 30000


LONG = [
    {"a": "one", "b": "x" * 40, "c": "the last column of this row"},
    {"a": "two", "b": "short", "c": "as short"},
]
COLUMNS = [("a", "first"), ("b", "second"), ("c", "third")]


@pytest.mark.parametrize("width", [40, 50, 60, 70])
def test_on_a_narrow_terminal_the_widest_columns_are_cut(width: int) -> None:
    lines = render_rows(LONG, COLUMNS, headers=True, style=Style(width=width)).splitlines()
    assert max(map(display_width, lines)) <= width
    assert lines[0].startswith("FIRST  SECOND")
    assert "one" in lines[1]
    assert "…" in lines[1]
    assert lines[2].split() == ["two", "short", "as", "short"]
    columns = {
        line.index(word) for line, word in zip(lines, ("SECOND", "xx", "short"), strict=True)
    }
    assert len(columns) == 1


def test_a_wide_terminal_changes_nothing() -> None:
    free = render_rows(LONG, COLUMNS, headers=True)
    assert render_rows(LONG, COLUMNS, headers=True, style=Style(width=200)) == free


def test_no_column_disappears() -> None:
    lines = render_rows(LONG, COLUMNS, headers=True, style=Style(width=5)).splitlines()
    assert lines[1] == "one  xx…  th…"


def test_sizes_are_cut_last() -> None:
    row = {"name": "n" * 30, "tag": "t" * 9, "id": "i" * 12, "size": "19.7MB"}
    columns = [(field, field) for field in row]
    [line] = render_rows([row], columns, headers=False, style=Style(width=24)).splitlines()
    assert display_width(line) == 24
    assert line.endswith("  19.7MB")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_columns_are_aligned_in_every_encoding(encoding: str) -> None:
    rows = [{"a": "日本", "b": "two"}, {"a": "one and more", "b": "two"}]
    style = Style(width=40, glyphs=glyphs_for(encoding), encoding=encoding)
    columns = [("a", "a"), ("b", "b")]
    one, other = render_rows(rows, columns, headers=False, style=style).splitlines()
    assert display_width(one.partition("two")[0]) == other.index("two")
    assert one.startswith("日本 " if encoding == "utf-8" else "\\u65e5\\u672c ")


def test_wide_characters_are_cut_by_their_cells() -> None:
    rows = [{"a": "字" * 30, "b": "end"}]
    [line] = render_rows(
        rows, [("a", "a"), ("b", "b")], headers=False, style=Style(width=30)
    ).splitlines()
    assert display_width(line) <= 30
    assert line.endswith("end")
