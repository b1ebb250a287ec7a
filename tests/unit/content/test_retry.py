"""The retry policy and the retry loop."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import Pause, RetryPolicy, retry
from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    NetworkError,
    RateLimitedError,
    SizeMismatchError,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def failing(*errors: GhcrctlError) -> tuple[Callable[[], str], list[int]]:
    """Return a function that raises errors before it succeeds, and a list of its calls."""
    left, calls = list(errors), []

    def act() -> str:
        calls.append(1)
        if left:
            raise left.pop(0)
        return "done"

    return act, calls


def lost(**fields: float) -> NetworkError:
    return NetworkError("lost", retryable=True, **fields)  # type: ignore[arg-type]


@pytest.fixture(params=[0.5, 1.0], ids=["shortest", "longest"])
def jitter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Replace random numbers by one end of their range."""
    share: float = request.param

    def choose(low: float, high: float) -> float:
        assert (low, high) == (0.5, 1.0)
        return share

    monkeypatch.setattr(random, "uniform", choose)
    return share


def test_delays_double_up_to_a_cap(jitter: float) -> None:
    policy = RetryPolicy(attempts=9, base=1.0, cap=6.0)
    waits = [policy.delay(attempt, lost()) for attempt in range(1, 9)]
    assert waits == [w * jitter for w in (1, 2, 4, 6, 6, 6, 6, 6)]


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_number_of_attempts_is_number_of_calls(attempts: int) -> None:
    act, calls = failing(*[lost() for _ in range(9)])
    slept: list[float] = []
    with pytest.raises(NetworkError) as caught:
        retry(act, RetryPolicy(attempts=attempts), sleep=slept.append)
    assert len(calls) == attempts
    assert len(slept) == attempts - 1
    assert not caught.value.retryable, "a loop around this one must not start over"


def test_error_that_is_not_retryable_is_raised_at_once() -> None:
    act, calls = failing(NetworkError("no"))
    with pytest.raises(NetworkError):
        retry(act, RetryPolicy(), sleep=lambda _: None)
    assert len(calls) == 1


def test_pauses_are_reported_before_they_start() -> None:
    first, second = lost(retry_after=7), lost(retry_after=8)
    act, _ = failing(first, second)
    reported: list[object] = []
    policy = RetryPolicy(attempts=3, base=0.0)
    found = retry(
        act,
        policy,
        on_retry=lambda error, pause: reported.extend((error, pause)),
        sleep=reported.append,
    )
    assert found == "done"
    assert reported == [first, Pause(7, 2, 3), 7, second, Pause(8, 3, 3), 8]


@pytest.mark.parametrize("kind", [DigestMismatchError, SizeMismatchError])
def test_corrupted_content_is_fetched_again_without_counting(
    kind: type[GhcrctlError],
) -> None:
    act, calls = failing(*[kind("wrong", retryable=True) for _ in range(3)])
    reported: list[Pause] = []
    found = retry(
        act,
        RetryPolicy(attempts=1),
        on_retry=lambda _, pause: reported.append(pause),
        sleep=lambda _: pytest.fail("no reason to wait"),
    )
    assert found == "done"
    assert len(calls) == 4
    assert reported == [Pause(0, 0, 0)] * 3


def test_corrupted_content_uses_no_attempts() -> None:
    act, calls = failing(DigestMismatchError("wrong", retryable=True), lost(), lost(), lost())
    with pytest.raises(NetworkError):
        retry(act, RetryPolicy(attempts=3, base=0.0), sleep=lambda _: None)
    assert len(calls) == 4


def test_content_corrupted_at_every_source_is_an_error() -> None:
    act, calls = failing(DigestMismatchError("wrong"))
    with pytest.raises(DigestMismatchError):
        retry(act, RetryPolicy(), sleep=lambda _: None)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("requested", "waited"), [(0.0, 0.5), (0.4, 0.5), (30, 30), (120, 120), (120.5, None)]
)
def test_requested_delay_is_used_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, requested: float, waited: float | None
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    assert RetryPolicy(base=0.5).delay(1, lost(retry_after=requested)) == waited


@pytest.mark.parametrize(("requested", "waited"), [(600, 600), (900, 900), (901, None)])
def test_rate_limit_may_request_minutes(requested: float, waited: float | None) -> None:
    error = RateLimitedError("limited", retryable=True, retry_after=requested, least_wait=60)
    assert RetryPolicy().delay(1, error) == waited


def test_delays_of_rate_limits_without_a_duration_grow() -> None:
    error = RateLimitedError("limited", retryable=True, least_wait=60)
    policy = RetryPolicy(attempts=7)
    waits = [policy.delay(attempt, error) for attempt in range(1, 8)]
    assert waits == [60, 120, 240, 480, 900, 900, None]


def test_requested_delay_is_a_lower_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    error = RateLimitedError("limited", retryable=True, retry_after=1, least_wait=60)
    assert RetryPolicy(base=8.0).delay(2, error) == 16


@pytest.mark.parametrize(
    ("inner_failures", "gets_further", "requests"),
    [(0, False, 4), (1, False, 4), (3, False, 4), (0, True, 4), (1, True, 8), (3, True, 16)],
)
@pytest.mark.parametrize("between", [False, True], ids=["two loops", "three loops"])
def test_nested_loop_gets_new_attempts_only_after_progress(
    inner_failures: int, gets_further: bool, requests: int, between: bool
) -> None:
    policy, calls, position = RetryPolicy(attempts=4), [], [0]

    def repeat(act: Callable[[], str]) -> str:
        return retry(act, policy, sleep=lambda _: None)

    def outer() -> None:
        inner, made = failing(*(lost() for _ in range(inner_failures)))
        try:
            repeat(lambda: repeat(inner)) if between else repeat(inner)
        finally:
            calls.extend(made)
        position[0] += gets_further
        raise lost()

    with pytest.raises(NetworkError) as caught:
        retry(outer, policy, sleep=lambda _: None, progress=lambda: position[0])
    assert len(calls) == requests
    assert not caught.value.retryable
    # Failures in that loop do not count elsewhere.
    act, later = failing(lost(), lost(), lost())
    assert repeat(act) == "done"
    assert len(later) == 4
