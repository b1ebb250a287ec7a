"""Threads that continue after their transfer has failed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError
from ghcrctl.transfer.events import Failed, Started
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers
from tests.builders import random_image
from tests.unit.transfer.places import RecordingSink, source_of

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.transfer.events import Event

IMAGE = random_image(3, seed=7)


def test_no_event_follows_the_error_of_a_transfer() -> None:
    source = source_of(IMAGE)
    broken = IMAGE.blobs[0][0]
    is_begun, is_over = threading.Event(), threading.Event()

    def hold_back(descriptor: Descriptor) -> None:
        if descriptor == broken:
            assert is_begun.wait(20)
            raise GhcrctlError("broken")
        is_begun.set()
        assert is_over.wait(20)

    events: list[Event] = []
    workers = Workers()
    plan = make_plan(source, RecordingSink(), IMAGE.root, names=("a",))
    source.on_open = hold_back
    with pytest.raises(GhcrctlError, match="broken"):
        execute(plan, TransferOptions(workers), events.append)
    seen = [*events]
    is_over.set()
    workers.stop()
    assert events == seen
    started = {event.step for event in seen if isinstance(event, Started)}
    assert len(started) > 1
    assert {event.step for event in seen if isinstance(event, Failed)} == started
