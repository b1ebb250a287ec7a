"""Waits are told as they begin, with what makes one wait."""

from __future__ import annotations

import pytest

from ghcrctl.content.rate_limit_waits import Wait, telling
from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.errors import ConnectionLostError


def test_each_wait_of_a_retry_is_told_before_it_is_slept() -> None:
    seen: list[object] = []

    def fail() -> None:
        raise ConnectionLostError("the line broke", retryable=True, retry_after=7)

    with pytest.raises(ConnectionLostError):
        retry(fail, RetryPolicy(attempts=2), on_retry=telling(seen.append), sleep=seen.append)
    assert seen == [Wait("the line broke", 7, "connection-lost", 2, 2), 7]
