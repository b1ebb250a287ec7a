"""Notifications about retry pauses."""

from __future__ import annotations

import pytest

from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.wait_events import Wait, report_retries
from ghcrctl.errors import ConnectionLostError


def test_retry_pauses_are_reported_before_they_start() -> None:
    seen: list[object] = []

    def fail() -> None:
        raise ConnectionLostError("the line broke", retryable=True, retry_after=7)

    with pytest.raises(ConnectionLostError):
        retry(
            fail, RetryPolicy(attempts=2), on_retry=report_retries(seen.append), sleep=seen.append
        )
    assert seen == [Wait("the line broke", 7, "connection-lost", 2, 2), 7]
