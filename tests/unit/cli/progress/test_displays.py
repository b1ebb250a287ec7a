"""What becomes visible of progress where nobody sees bars."""

from __future__ import annotations

import re
import time

from ghcrctl.cli.progress.displays import Display, Lines
from ghcrctl.cli.progress.events import Throttle
from ghcrctl.content.rate_limit_waits import Wait
from ghcrctl.transfer.events import Finished, Outcome, Progressed, Started
from tests.unit.cli.progress.events import Clock, layer, planned


def wait_for(lines: list[str], count: int) -> None:
    end = time.monotonic() + 20
    while len(lines) < count:
        assert time.monotonic() < end, lines
        time.sleep(0.01)


def test_a_log_shows_every_so_often_how_far_all_has_come() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append, each=0.05)
    steps = [layer(1, 3_000_000), layer(2, 1_000_000)]
    with display.moving():
        watch = display.image("octo/app:1.0")
        watch(planned(steps))
        watch(Started(steps[0]))
        watch(Progressed(steps[0], 0))
        watch(Progressed(steps[0], 1_000_000))
        wait_for(lines, 1)
        assert re.match(r"moved 1\.0MB of 4\.0MB \(24%\)", lines[0])
    before = len(lines)
    time.sleep(0.2)
    assert len(lines) == before


def test_what_is_quick_leaves_no_line() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append)
    step = layer(1)
    with display.moving():
        watch = display.image("octo/app:1.0")
        watch(planned([step]))
        watch(Started(step))
        watch(Finished(step, Outcome.COPIED))
    assert lines == []


def test_what_is_counted_is_told_in_a_log_too() -> None:
    lines: list[str] = []
    display = Lines(lines.append, lines.append, each=0.05)
    display.count("manifests", 120, 5000)
    wait_for(lines, 1)
    display.uncount()
    assert lines[0] == "manifests: 120 of 5000 (2%)"


def test_a_wait_is_told_once_as_it_begins_if_a_person_would_notice_it() -> None:
    told: list[str] = []
    display = Display(told.append)
    display.wait(Wait("GitHub asks for fewer requests", 60.0))
    display.wait(Wait("ghcr.io answers with status 503", 0.5))
    assert told == ["GitHub asks for fewer requests; continuing in 60 s"]


def test_events_of_progress_are_ten_a_second_for_each_content() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    one, other = layer(1), layer(2)
    let = 0
    for millisecond in range(1000):
        clock.now = 1000 + millisecond / 1000
        let += throttle.lets(Progressed(one, millisecond))
        if millisecond == 500:
            assert throttle.lets(Progressed(other, 1))
    assert 9 <= let <= 11
    assert throttle.lets(Finished(one, Outcome.COPIED))
