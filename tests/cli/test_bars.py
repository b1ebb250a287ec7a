"""Progress bars on a terminal, during a transfer and after it."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.cli.watched import Watched
from tests.registry_double.faults import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

LAYERS = 6
_BAR = re.compile(r"[0-9a-f]{12} [━╸╺]+ +[\d.]+[kM]B/[\d.]+[kM]B$")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    """Return an image that takes some seconds to pull."""
    plain_registry.push_image("octo/app", "1.0", random_image(LAYERS, size=120_000, seed=1))
    drip = Fault("GET", "/blobs/", times=10_000, drip=2_000)
    plain_registry.faults.append(drip)
    return f"{plain_registry.host}/octo/app:1.0"


def bars(lines: list[str]) -> list[str]:
    return [line for line in lines if _BAR.match(line)]


def has_moved(lines: list[str]) -> bool:
    """Return whether all layers have a bar and some transferred bytes."""
    return len(bars(lines)) == LAYERS and not any(" 0.0" in line for line in bars(lines))


def plain_lines(shell: Shell, name: str) -> list[str]:
    """Return the output of the same command without a terminal. Layers end in any order."""
    shell.ok("rmi", name)
    return shell.ok("pull", name)


def test_each_layer_has_a_bar_and_all_have_a_total(shell: Shell, name: str) -> None:
    terminal = Watched(shell, "pull", name)
    shown = terminal.until(lambda lines: has_moved(lines) and "left" in lines[-1])
    assert shown[0] == "1.0: Pulling from octo/app"
    assert re.fullmatch(
        r"Total        [━╸╺]+ +[\d.]+kB/[\d.]+kB +[\d.]+kB/s +\d:\d\d left", shown[-1]
    )
    assert not terminal.shows_cursor()
    assert terminal.ended() == 0
    assert terminal.shows_cursor()
    assert sorted(terminal.lines) == sorted(plain_lines(shell, name))
    assert terminal.screen.cursor.x == 0


def test_no_frame_is_half_a_frame(shell: Shell, name: str) -> None:
    terminal = Watched(shell, "pull", name)
    assert terminal.ended() == 0
    frames = terminal.raw.decode().split("\x1b[?2026h")[1:]
    assert len(frames) > 5
    for frame in frames:
        assert "\x1b[?2026l" in frame
    # The total is shown from the first bar to the last.
    totals = [any(line.startswith("Total") for line in shown) for shown in terminal.frames]
    first, last = totals.index(True), len(totals) - totals[::-1].index(True)
    assert all(totals[first:last])


@pytest.mark.parametrize(("columns", "rows"), [(160, 50), (40, 10), (20, 5)])
def test_bars_fit_the_terminal(shell: Shell, name: str, columns: int, rows: int) -> None:
    terminal = Watched(shell, "pull", name, size=(columns, rows))
    terminal.until(lambda lines: any(line.startswith("Total") for line in lines))
    assert terminal.ended() == 0
    for shown in terminal.frames:
        assert len(shown) <= rows
        assert sum(line.startswith("Total") for line in shown) <= 1


def test_two_hundred_layers_do_not_fill_the_screen(
    shell: Shell, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/many", "1.0", random_image(200, size=20_000, seed=2))
    plain_registry.faults.append(Fault("GET", "/blobs/", times=10_000, drip=4_000))
    terminal = Watched(shell, "pull", f"{plain_registry.host}/octo/many:1.0", size=(80, 10))
    shown = terminal.until(lambda lines: len(lines) > 2 and lines[-1].startswith("Total"))
    assert re.fullmatch(r"and 1\d\d more", shown[-2])
    assert len(shown) <= 10
    assert terminal.ended() == 0
    assert not any("more" in line for line in terminal.lines)


def test_a_resize_leaves_nothing_behind(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.faults[0].drip = 700
    terminal = Watched(shell, "pull", name, size=(100, 30))
    terminal.until(has_moved)
    terminal.resize(64, 30)
    terminal.until(lambda lines: has_moved(lines) and max(map(len, lines)) < 64)
    assert sum(line.startswith("Total") for line in terminal.lines) == 1
    terminal.resize(120, 30)
    terminal.until(lambda lines: has_moved(lines) and max(map(len, lines)) > 64)
    assert sum(line.startswith("Total") for line in terminal.lines) == 1
    assert terminal.ended() == 0
    assert sorted(terminal.lines) == sorted(plain_lines(shell, name))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_cursor_is_restored_when_a_run_is_ended(
    shell: Shell, name: str, number: int, status: int
) -> None:
    terminal = Watched(shell, "pull", name)
    terminal.until(has_moved)
    assert not terminal.shows_cursor()
    terminal.process.send_signal(number)
    assert terminal.ended() == status
    assert terminal.shows_cursor()
    assert not bars(terminal.lines)
    assert terminal.lines[-1] in {"interrupted", "terminated"}


def test_keys_that_the_terminal_shows_leave_nothing_behind(shell: Shell, name: str) -> None:
    terminal = Watched(shell, "pull", name)
    terminal.until(has_moved)
    terminal.until(lambda lines: "left" in lines[-1])
    terminal.press("\x03")
    terminal.until(lambda _: b"^C" in terminal.raw)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 130
    assert not bars(terminal.lines)
    assert terminal.lines[-1] == "interrupted"


def test_the_cursor_is_restored_after_an_error(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.faults.insert(0, Fault("GET", "/blobs/", after=3, times=9, cut_after=30_000))
    terminal = Watched(shell, "pull", name)
    assert terminal.ended() == 3
    assert terminal.shows_cursor()
    assert not bars(terminal.lines)
    assert any(line.startswith("error: ") for line in terminal.lines)


def test_ctrl_z_gives_the_shell_a_terminal_as_it_was(shell: Shell, name: str) -> None:
    terminal = Watched(shell, "pull", name)
    terminal.until(has_moved)
    terminal.process.send_signal(signal.SIGTSTP)
    terminal.until(lambda lines: not bars(lines))
    assert terminal.shows_cursor()
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.until(has_moved)
    assert not terminal.shows_cursor()
    assert terminal.ended() == 0


def test_a_wait_requested_by_a_registry_counts_down(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.environ["GHCRCTL_RETRIES"] = "2"
    limit = Fault("GET", "/manifests/", status=429, headers={"Retry-After": "3"})
    plain_registry.faults.insert(0, limit)
    terminal = Watched(shell, "pull", "--quiet", name)
    words = "; retrying in 0:0"
    for seconds in (3, 2, 1):
        terminal.until(lambda lines, s=seconds: any(f"{words}{s}" in line for line in lines))  # type: ignore[misc]
    assert terminal.ended() == 0
    assert terminal.lines == [name]


def test_a_layer_that_is_tried_again_counts_down_in_its_place(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.environ["GHCRCTL_RETRIES"] = "4"
    cut = Fault("GET", "/blobs/", times=2, cut_after=10_000)
    plain_registry.faults.insert(0, cut)
    terminal = Watched(shell, "pull", name)
    words = "retrying in 1 s (attempt 2 of 5): the connection to "
    terminal.until(lambda lines: any(words in line for line in lines))
    assert terminal.ended() == 0
    assert not any("warning" in line for line in terminal.lines)


def test_no_bars_in_a_job_and_none_when_they_are_not_wanted(shell: Shell, name: str) -> None:
    shell.environ["CI"] = "true"
    terminal = Watched(shell, "pull", name)
    assert terminal.ended() == 0
    assert b"\x1b" not in terminal.raw
    shell.ok("rmi", name)
    del shell.environ["CI"]
    terminal = Watched(shell, "pull", "--progress", "none", name)
    assert terminal.ended() == 0
    assert b"\x1b" not in terminal.raw


def test_no_color_disables_colours(shell: Shell, name: str) -> None:
    shell.environ["NO_COLOR"] = "1"
    terminal = Watched(shell, "pull", name)
    assert terminal.ended() == 0
    assert b"\x1b[?25l" in terminal.raw
    assert not re.search(rb"\x1b\[[\d;]*m", terminal.raw)
