"""Progress displays without bars."""

from __future__ import annotations

import re
import time

from ghcrctl.cli.progress.displays import Display, Lines
from ghcrctl.cli.progress.events import Throttle
from ghcrctl.content.wait_events import Wait
from ghcrctl.transfer.events import Finished, Outcome, Progressed, Started
from tests.unit.cli.progress.events import Clock, layer, planned


def wait_for(lines: list[str], count: int) -> None:
    end = time.monotonic() + 20
    while len(lines) < count:
        assert time.monotonic() < end, lines
        time.sleep(0.01)


def test_a_log_shows_progress_at_intervals() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append, seconds=0.05)
    steps = [layer(1, 3_000_000), layer(2, 1_000_000)]
    with display.active():
        observe = display.image_observer("octo/app:1.0")
        observe(planned(steps))
        observe(Started(steps[0]))
        observe(Progressed(steps[0], 0))
        observe(Progressed(steps[0], 1_000_000))
        wait_for(lines, 1)
        assert re.match(r"transferred 1\.0MB of 4\.0MB \(24%\)", lines[0])
    before = len(lines)
    time.sleep(0.2)
    assert len(lines) == before


def test_a_quick_transfer_prints_no_line() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append)
    step = layer(1)
    with display.active():
        observe = display.image_observer("octo/app:1.0")
        observe(planned([step]))
        observe(Started(step))
        observe(Finished(step, Outcome.COPIED))
    assert lines == []


def test_a_log_shows_counters() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append, seconds=0.05)
    display.show_count("manifests", 120, 5000)
    wait_for(lines, 1)
    display.hide_count()
    assert lines[0] == "manifests: 120 of 5000 (2%)"


def test_only_long_waits_are_reported() -> None:
    warnings: list[str] = []
    display = Display(warnings.append)
    display.show_wait(Wait("GitHub is rate limiting requests", 60.0))
    display.show_wait(Wait("ghcr.io returned status 503", 0.5))
    assert warnings == ["GitHub is rate limiting requests; continuing in 60 s"]


def test_progress_events_are_limited_to_ten_per_second_and_blob() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    one, other = layer(1), layer(2)
    allowed = 0
    for millisecond in range(1000):
        clock.now = 1000 + millisecond / 1000
        allowed += throttle.allows(Progressed(one, millisecond))
        if millisecond == 500:
            assert throttle.allows(Progressed(other, 1))
    assert 9 <= allowed <= 11
    assert throttle.allows(Finished(one, Outcome.COPIED))
