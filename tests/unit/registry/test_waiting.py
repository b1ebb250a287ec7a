"""How long a registry asks to wait."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from ghcrctl.registry.waiting import wait_asked


@pytest.mark.parametrize(
    ("header", "message", "seconds"),
    [
        (None, "", None),
        ("7", "", 7.0),
        (" 0 ", "", 0.0),
        ("soon", "", None),
        ("-5", "", None),
        # ghcr.io says microseconds; within the same second the next request fares no better.
        (None, '{"message": "retry-after: 880.092µs, allowed: 44000/minute"}', 1.0),
        (None, "retry-after: 1m30.5s", 90.5),
        (None, "Retry-After: 1500ms", 1.5),
        (None, "retry-after: 2h", 7200.0),
        (None, "try later", None),
        ("3", "retry-after: 9s", 3.0),
        ("soon", "retry-after: 9s", 9.0),
    ],
)
def test_each_form_is_understood(header: str | None, message: str, seconds: float | None) -> None:
    assert wait_asked(header, message) == seconds


def test_a_date_is_a_moment_to_wait_for() -> None:
    then = datetime.now(timezone.utc) + timedelta(seconds=30)
    seconds = wait_asked(format_datetime(then, usegmt=True), "")
    assert seconds is not None
    assert 27 < seconds <= 30
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    assert wait_asked(format_datetime(past, usegmt=True), "") == 0.0
