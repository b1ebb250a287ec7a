"""The count of transferred bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError
from ghcrctl.transfer.events import Failed, Finished, Outcome, Progressed, Started
from ghcrctl.transfer.meter import TransferMeter
from ghcrctl.transfer.plan import Action, Step
from tests.builders import random_image

if TYPE_CHECKING:
    from ghcrctl.transfer.events import Event

IMAGE = random_image(2)
FIRST, SECOND = (Step(descriptor, Action.COPY) for descriptor, _ in IMAGE.blobs[:2])


def metered(*events: Event) -> int:
    seen: list[Event] = []
    meter = TransferMeter(seen.append)
    for event in events:
        meter(event)
    assert seen == list(events), "every event is passed on"
    return meter.bytes


def test_copied_bytes_count_from_the_first_position() -> None:
    copied = Finished(FIRST, Outcome.COPIED)
    assert metered(Started(FIRST), Progressed(FIRST, 0), Progressed(FIRST, 10), copied) == 10
    assert metered(Progressed(FIRST, 4), Progressed(FIRST, 10), copied) == 6
    assert metered(copied) == 0


def test_retry_counts_bytes_between_lowest_and_highest_position() -> None:
    positions = (5, 8, 2, 6, 10)
    events = [Progressed(FIRST, position) for position in positions]
    assert metered(*events, Finished(FIRST, Outcome.COPIED)) == 8


@pytest.mark.parametrize("outcome", [Outcome.EXISTS, Outcome.MOUNTED, Outcome.SKIPPED])
def test_steps_that_were_not_copied_do_not_count(outcome: Outcome) -> None:
    assert metered(Progressed(FIRST, 0), Progressed(FIRST, 9), Finished(FIRST, outcome)) == 0


def test_each_step_counts_when_finished() -> None:
    assert (
        metered(
            Progressed(FIRST, 0),
            Progressed(SECOND, 100),
            Progressed(FIRST, 7),
            Progressed(SECOND, 130),
            Finished(SECOND, Outcome.COPIED),
            Failed(FIRST, GhcrctlError("broken")),
        )
        == 30
    )


def test_step_copied_twice_counts_twice() -> None:
    copied = Finished(FIRST, Outcome.COPIED)
    assert metered(Progressed(FIRST, 5), Progressed(FIRST, 9), copied, copied) == 4
