"""The rate of requests to GitHub, and the waits after refusals."""

from __future__ import annotations

import pytest

from ghcrctl.content.wait_events import Wait
from ghcrctl.github.rate_limit import RateLimiter, refusal_wait

NOW = 1_700_000_000.0


class Time:
    """A clock that only advances while sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def limiter(self, points: int) -> RateLimiter:
        return RateLimiter(points, sleep=self.sleep, clock=lambda: self.now)


def test_requests_within_the_points_do_not_wait() -> None:
    time = Time()
    limiter = time.limiter(10)
    for _ in range(10):
        limiter.take("GET")
    assert time.slept == []


def test_one_point_too_many_waits_for_the_first_to_be_a_minute_old() -> None:
    time = Time()
    told: list[Wait] = []
    limiter = RateLimiter(3, sleep=time.sleep, clock=lambda: time.now, waiting=told.append)
    for _ in range(3):
        limiter.take("GET")
        time.now += 10
    limiter.take("GET")
    assert time.slept == [30.0]
    assert told == [Wait("GitHub allows 3 points per minute", 30.0)]


def test_a_deletion_costs_as_much_as_five_reads() -> None:
    time = Time()
    limiter = time.limiter(10)
    limiter.take("DELETE")
    limiter.take("POST")
    limiter.take("GET")
    assert time.slept == [60.0]


@pytest.mark.parametrize("methods", [["GET"] * 400, ["DELETE"] * 80, ["GET", "DELETE"] * 60])
def test_no_minute_costs_more_than_allowed(methods: list[str]) -> None:
    time = Time()
    limiter = time.limiter(100)
    spent = []
    for method in methods:
        limiter.take(method)
        spent.append((time.now, 1 if method == "GET" else 5))
        time.now += 0.05
    for start, _ in spent:
        assert sum(cost for moment, cost in spent if start <= moment < start + 60) <= 100


def test_a_wait_of_less_than_a_second_is_a_wait() -> None:
    time = Time()
    limiter = time.limiter(1)
    limiter.take("GET")
    time.now += 59.5
    limiter.take("HEAD")
    assert time.slept == [0.5]


def test_points_spent_a_minute_ago_no_longer_count() -> None:
    time = Time()
    told: list[Wait] = []
    limiter = RateLimiter(2, sleep=time.sleep, clock=lambda: time.now, waiting=told.append)
    limiter.take("GET")
    time.now += 60
    for _ in range(2):
        limiter.take("OPTIONS")
    assert told == []
    assert len(limiter._spent) == 2
    limiter.take("GET")
    assert time.slept == [60.0]


def test_github_allows_900_points_a_minute() -> None:
    time = Time()
    limiter = RateLimiter(sleep=time.sleep, clock=lambda: time.now)
    for _ in range(180):
        limiter.take("DELETE")
    assert time.slept == []
    limiter.take("GET")
    assert time.slept == [60.0]


def test_without_a_limit_nothing_waits() -> None:
    time = Time()
    limiter = time.limiter(0)
    for _ in range(5000):
        limiter.take("DELETE")
    assert time.slept == []


SECONDARY = "You have exceeded a secondary rate limit"


@pytest.mark.parametrize(
    ("status", "headers", "text", "attempt", "expected"),
    [
        (403, {"Retry-After": "7"}, SECONDARY, 1, 7.0),
        (429, {"Retry-After": "7"}, "", 1, 7.0),
        (429, {}, "", 1, 60.0),
        (429, {}, "", 3, 240.0),
        (403, {}, SECONDARY, 2, 120.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000030"}, "", 1, 31.0),
        # A reset in the past: only wait for clock skew, never a negative time.
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1600000000"}, "", 1, 1.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, "", 1, None),
        (403, {"X-RateLimit-Remaining": "12"}, "Resource not accessible", 1, None),
        (
            403,
            {"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "1700000030"},
            "Resource not accessible",
            1,
            None,
        ),
        (404, {"Retry-After": "7"}, "", 1, None),
        (200, {"Retry-After": "7"}, "", 1, None),
        (403, {}, "You have triggered an abuse detection mechanism", 1, 60.0),
        (403, {}, "You have triggered an abuse detection mechanism", 2, 120.0),
    ],
)
def test_each_refusal_has_its_wait(
    status: int, headers: dict[str, str], text: str, attempt: int, expected: float | None
) -> None:
    assert refusal_wait(status, headers, text, now=NOW, attempt=attempt) == expected
