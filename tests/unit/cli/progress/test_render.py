"""The layout of the progress display on terminals of every size."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import ConsoleDimensions

from ghcrctl.cli.console import console_for
from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.style import Style, glyphs_for
from ghcrctl.cli.progress.amounts import size_text, time_text
from ghcrctl.cli.progress.render import render
from ghcrctl.cli.progress.snapshot import Countdown, Row, Snapshot

LAYERS = tuple(Row(f"{n:012x}", n * 1_000_000, 45_100_000) for n in range(12))
TOTAL = Row("Total", 57_300_000, 612_400_000, speed=8_200_000.0, left=67.2)


class Stream(io.StringIO):
    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def texts(snapshot: Snapshot, columns: int, height: int, encoding: str = "utf-8") -> list[str]:
    """Return the lines of the display without colours."""
    stream = Stream(encoding)
    console = console_for(stream, Style(encoding=encoding))
    console.size = ConsoleDimensions(columns, height)
    shown = render(snapshot, columns, height, glyphs_for(encoding).ellipsis)
    if shown is not None:
        console.print(shown, crop=False)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_each_layer_has_a_line_and_the_total_has_speed_and_time_left() -> None:
    assert texts(Snapshot(LAYERS[3:5], 0, TOTAL), 82, 24) == [
        "000000000003 ━╸                               3.0MB/45.1MB",
        "000000000004 ━━╸                              4.0MB/45.1MB",
        "Total        ━━╸                            57.3MB/612.4MB   8.2MB/s  1:08 left",
    ]


def test_bars_are_ascii_on_terminals_without_unicode() -> None:
    assert texts(Snapshot(LAYERS[9:10], 0, None), 42, 24, "ascii") == [
        "000000000009 --            9.0MB/45.1MB"
    ]


@pytest.mark.parametrize(
    ("columns", "total"),
    [
        (160, "57.3MB/612.4MB   8.2MB/s  1:08 left"),
        (60, "━╸                 57.3MB/612.4MB  1:08 left"),
        (40, "╸          9%  1:08 left"),
        (30, "━             9%"),
        (20, "Total          9%"),
        (18, "Total          9%"),
        (17, "Total"),
        (3, "T…"),
    ],
)
def test_a_narrow_terminal_gets_the_columns_that_fit(columns: int, total: str) -> None:
    [line] = texts(Snapshot((), 0, TOTAL), columns, 24)
    assert line.endswith(total)


def test_layers_that_do_not_fit_are_counted() -> None:
    shown = texts(Snapshot(LAYERS, 180, TOTAL), 80, 8)
    assert len(shown) == 7
    assert shown[-2] == "and 187 more"
    assert [line[:12] for line in shown[:-2]] == [row.label for row in LAYERS[:5]]


def test_a_terminal_with_two_rows_shows_only_the_total() -> None:
    [line] = texts(Snapshot(LAYERS, 180, TOTAL), 80, 2)
    assert line.startswith("Total")


def test_a_pending_retry_replaces_the_bar() -> None:
    held = Row("00000000000f", 5, 9, note="retrying in 4 s (attempt 2 of 5): the line broke")
    [line] = texts(Snapshot((held,)), 42, 24)
    assert line == "00000000000f retrying in 4 s (attempt …"


def test_a_wait_keeps_its_countdown_on_a_narrow_terminal() -> None:
    snapshot = Snapshot(
        waits=(Countdown("ghcr.io fails (status 503)", 41.2, "retrying", " (attempt 2 of 5)"),)
    )
    assert texts(snapshot, 80, 24) == [
        "ghcr.io fails (status 503); retrying in 0:42 (attempt 2 of 5)"
    ]
    assert texts(snapshot, 30, 24) == ["ghcr.io fails (status …: 0:42"]


def test_counters_look_like_layers() -> None:
    row = Row("manifests", 1200, 5000, of_bytes=False, left=80.0)
    [line] = texts(Snapshot((row,)), 62, 24)
    assert line == "manifests    ━━━━━━                    1200/5000  1:20 left"


def test_an_unknown_size_has_no_bar() -> None:
    row = Row("standard input", 12_300_000, None, speed=4_000_000.0)
    [line] = texts(Snapshot((row,)), 80, 24)
    assert "━" not in line
    assert "12.3MB   4.0MB/s" in line


def test_control_characters_of_foreign_text_are_escaped() -> None:
    row = Row("a\x1b[2J", 1, 2, note="\x1b]0;x\x07")
    shown = "".join(texts(Snapshot((row,), waits=(Countdown("b\x1b[2J", 9.0),)), 80, 24))
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
def test_the_display_always_fits_the_terminal(
    rows: list[Row],
    total: Row | None,
    waits: list[Countdown],
    columns: int,
    height: int,
) -> None:
    lines = texts(Snapshot(tuple(rows), 3, total, tuple(waits)), columns, height)
    assert len(lines) <= max(height - 1, 1)
    free = 3 if columns > 30 else 1
    assert all(display_width(line) <= max(columns - free, 1) for line in lines)


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
def test_sizes_have_a_fixed_number_of_decimals(size: int, text: str) -> None:
    assert size_text(size) == text


def test_both_sizes_have_the_unit_of_the_total() -> None:
    assert size_text(3_100, 45_000_000) == "0.0MB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.1, "0:01"), (59.5, "1:00"), (725, "12:05"), (3753, "1:02:33")],
)
def test_times_are_rounded_up(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
