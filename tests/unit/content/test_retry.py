"""When to try again, how long to wait first, and when to give up."""

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
    """Return a function that raises some errors and then returns, and a list of its calls."""
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
    """Let chance choose one end of its span."""
    share: float = request.param

    def choose(low: float, high: float) -> float:
        assert (low, high) == (0.5, 1.0)
        return share

    monkeypatch.setattr(random, "uniform", choose)
    return share


def test_waits_double_up_to_a_cap(jitter: float) -> None:
    policy = RetryPolicy(attempts=9, base=1.0, cap=6.0)
    waits = [policy.delay(attempt, lost()) for attempt in range(1, 9)]
    assert waits == [w * jitter for w in (1, 2, 4, 6, 6, 6, 6, 6)]


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_n_attempts_are_n_calls(attempts: int) -> None:
    act, calls = failing(*[lost() for _ in range(9)])
    slept: list[float] = []
    with pytest.raises(NetworkError) as caught:
        retry(act, RetryPolicy(attempts=attempts), sleep=slept.append)
    assert len(calls) == attempts
    assert len(slept) == attempts - 1
    assert not caught.value.retryable, "a loop around this one must not start over"


def test_what_is_not_retryable_is_called_once() -> None:
    act, calls = failing(NetworkError("no"))
    with pytest.raises(NetworkError):
        retry(act, RetryPolicy(), sleep=lambda _: None)
    assert len(calls) == 1


def test_pauses_are_told_before_they_begin() -> None:
    first, second = lost(retry_after=7), lost(retry_after=8)
    act, _ = failing(first, second)
    told: list[object] = []
    policy = RetryPolicy(attempts=3, base=0.0)
    found = retry(
        act, policy, on_retry=lambda error, pause: told.extend((error, pause)), sleep=told.append
    )
    assert found == "done"
    assert told == [first, Pause(7, 2, 3), 7, second, Pause(8, 3, 3), 8]


@pytest.mark.parametrize("kind", [DigestMismatchError, SizeMismatchError])
def test_wrong_bytes_are_fetched_again_at_once_and_count_as_no_attempt(
    kind: type[GhcrctlError],
) -> None:
    act, calls = failing(*[kind("wrong", retryable=True) for _ in range(3)])
    told: list[Pause] = []
    found = retry(
        act,
        RetryPolicy(attempts=1),
        on_retry=lambda _, pause: told.append(pause),
        sleep=lambda _: pytest.fail("no reason to wait"),
    )
    assert found == "done"
    assert len(calls) == 4
    assert told == [Pause(0, 0, 0)] * 3


def test_wrong_bytes_leave_all_attempts_to_other_failures() -> None:
    act, calls = failing(DigestMismatchError("wrong", retryable=True), lost(), lost(), lost())
    with pytest.raises(NetworkError):
        retry(act, RetryPolicy(attempts=3, base=0.0), sleep=lambda _: None)
    assert len(calls) == 4


def test_wrong_bytes_that_every_source_sends_are_an_error() -> None:
    act, calls = failing(DigestMismatchError("wrong"))
    with pytest.raises(DigestMismatchError):
        retry(act, RetryPolicy(), sleep=lambda _: None)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("asked", "waited"), [(0.0, 0.5), (0.4, 0.5), (30, 30), (120, 120), (120.5, None)]
)
def test_a_host_that_asks_for_a_wait_gets_it_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, asked: float, waited: float | None
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    assert RetryPolicy(base=0.5).delay(1, lost(retry_after=asked)) == waited


@pytest.mark.parametrize(("asked", "waited"), [(600, 600), (900, 900), (901, None)])
def test_a_rate_limit_may_ask_for_minutes(asked: float, waited: float | None) -> None:
    error = RateLimitedError("limited", retryable=True, retry_after=asked, least_wait=60)
    assert RetryPolicy().delay(1, error) == waited


def test_a_rate_limit_that_does_not_say_how_long_is_waited_for_longer_each_time() -> None:
    error = RateLimitedError("limited", retryable=True, least_wait=60)
    policy = RetryPolicy(attempts=7)
    waits = [policy.delay(attempt, error) for attempt in range(1, 8)]
    assert waits == [60, 120, 240, 480, 900, 900, None]


def test_our_own_wait_is_never_shorter_than_a_short_limit(
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
def test_a_loop_in_a_loop_has_its_attempts_again_only_after_progress(
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
        retry(outer, policy, sleep=lambda _: None, reached=lambda: position[0])
    assert len(calls) == requests
    assert not caught.value.retryable
    # What failed there counts for nobody else.
    act, later = failing(lost(), lost(), lost())
    assert repeat(act) == "done"
    assert len(later) == 4
