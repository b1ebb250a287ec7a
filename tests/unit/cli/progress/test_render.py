"""How a moment is laid out, at every size of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.progress.render import ASCII, UNICODE, draw, size_text, time_text
from ghcrctl.cli.progress.snapshot import Countdown, Picture, Row

LAYERS = tuple(Row(f"{n:012x}", n * 1_000_000, 45_100_000) for n in range(12))
TOTAL = Row("Total", 57_300_000, 612_400_000, speed=8_200_000.0, left=67.2)


def texts(picture: Picture, columns: int, height: int) -> list[str]:
    lines = draw(picture, columns, height, UNICODE)
    return ["".join(text for text, _ in line) for line in lines]


def test_a_line_a_layer_and_a_total_with_speed_and_time_left() -> None:
    assert texts(Picture(LAYERS[3:5], 0, TOTAL), 82, 24) == [
        "000000000003 ━╸───────────────────────────    3.0MB/45.1MB",
        "000000000004 ━━╸──────────────────────────    4.0MB/45.1MB",
        "Total        ━━╸──────────────────────────  57.3MB/612.4MB   8.2MB/s  1:08 left",
    ]


def test_without_unicode_bars_are_of_ascii() -> None:
    lines = draw(Picture(LAYERS[3:4], 0, None), 42, 24, ASCII)
    assert "".join(text for text, _ in lines[0]) == "000000000003 >-----------  3.0MB/45.1MB"


@pytest.mark.parametrize(
    ("columns", "total"),
    [
        (160, "57.3MB/612.4MB   8.2MB/s  1:08 left"),
        (60, "━╸───────────────  57.3MB/612.4MB  1:08 left"),
        (40, "╸───────   9%  1:08 left"),
        (30, "━──────────   9%"),
        (20, "Total          9%"),
        (3, "To"),
    ],
)
def test_a_narrow_terminal_gets_the_most_that_fits(columns: int, total: str) -> None:
    [line] = texts(Picture((), 0, TOTAL), columns, 24)
    assert line.endswith(total)


def test_what_does_not_fit_the_height_is_counted() -> None:
    shown = texts(Picture(LAYERS, 180, TOTAL), 80, 8)
    assert len(shown) == 7
    assert shown[-2] == "and 187 more"
    assert [line[:12] for line in shown[:-2]] == [row.label for row in LAYERS[:5]]


def test_of_a_terminal_of_two_rows_the_total_is_left() -> None:
    [line] = texts(Picture(LAYERS, 180, TOTAL), 80, 2)
    assert line.startswith("Total")


def test_a_try_that_is_to_come_is_told_in_place_of_the_bar() -> None:
    held = Row("00000000000f", 5, 9, note="retrying in 4 s (attempt 2 of 5): the line broke")
    [line] = texts(Picture((held,)), 42, 24)
    assert line == "00000000000f retrying in 4 s (attempt …"


def test_a_wait_counts_down_and_keeps_its_time_on_a_narrow_terminal() -> None:
    picture = Picture(
        waits=(Countdown("ghcr.io fails (status 503)", 41.2, "retrying", " (attempt 2 of 5)"),)
    )
    assert texts(picture, 80, 24) == [
        "ghcr.io fails (status 503); retrying in 0:42 (attempt 2 of 5)"
    ]
    assert texts(picture, 30, 24) == ["ghcr.io fails (status …: 0:42"]


def test_what_is_counted_has_the_look_of_the_rest() -> None:
    row = Row("manifests", 1200, 5000, of_bytes=False, left=80.0)
    [line] = texts(Picture((row,)), 62, 24)
    assert line == "manifests    ━━━━━━─────────────────── 1200/5000  1:20 left"


def test_of_what_nobody_knows_the_size_there_is_no_bar() -> None:
    row = Row("standard input", 12_300_000, None, speed=4_000_000.0)
    [line] = texts(Picture((row,)), 80, 24)
    assert "━" not in line
    assert "12.3MB   4.0MB/s" in line


def test_strangers_words_steer_no_terminal() -> None:
    row = Row("a\x1b[2J", 1, 2, note="\x1b]0;x\x07")
    shown = "".join(texts(Picture((row,), waits=(Countdown("b\x1b[2J", 9.0),)), 80, 24))
    assert "\x1b" not in shown
    assert "\x07" not in shown


ROWS = st.builds(
    Row,
    label=st.text(max_size=30),
    done=st.integers(0, 10**15),
    total=st.none() | st.integers(0, 10**15),
    of_bytes=st.booleans(),
    speed=st.none() | st.floats(0, 1e12),
    left=st.none() | st.floats(0, 1e7),
    note=st.just("") | st.text(max_size=60),
)


@given(
    rows=st.lists(ROWS, max_size=30),
    total=st.none() | ROWS,
    waits=st.lists(
        st.builds(Countdown, reason=st.text(max_size=60), left=st.floats(0, 1e5)), max_size=5
    ),
    columns=st.integers(1, 200),
    height=st.integers(1, 60),
)
def test_nothing_is_wider_or_higher_than_the_terminal(
    rows: list[Row],
    total: Row | None,
    waits: list[Countdown],
    columns: int,
    height: int,
) -> None:
    lines = draw(Picture(tuple(rows), 3, total, tuple(waits)), columns, height, UNICODE)
    assert len(lines) <= max(height - 1, 1)
    for line in lines:
        free = 3 if columns > 30 else 1
        assert sum(display_width(text) for text, _ in line) <= max(columns - free, 1)
        assert not any("\n" in text for text, _ in line)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1.0kB"),
        (999_940, "999.9kB"),
        (999_960, "1.0MB"),
        (45_120_000, "45.1MB"),
        (1_050_000_000, "1.05GB"),
    ],
)
def test_sizes_do_not_jump(size: int, text: str) -> None:
    assert size_text(size) == text


def test_both_sizes_are_in_one_unit() -> None:
    assert size_text(3_100, 45_000_000) == "0.0MB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.1, "0:01"), (59.5, "1:00"), (725, "12:05"), (3753, "1:02:33")],
)
def test_times_are_never_less_than_they_are(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
