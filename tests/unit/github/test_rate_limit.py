"""How fast GitHub is asked, and how long is waited when it refuses."""

from __future__ import annotations

import pytest

from ghcrctl.content.rate_limit_waits import Wait
from ghcrctl.github.rate_limit import Pace, refusal_wait

NOW = 1_700_000_000.0


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, points: int) -> Pace:
        return Pace(points, sleep=self.sleep, clock=lambda: self.now)


def test_requests_within_the_points_do_not_wait() -> None:
    time = Time()
    pace = time.pace(10)
    for _ in range(10):
        pace.take("GET")
    assert time.slept == []


def test_one_point_too_many_waits_for_the_first_to_be_a_minute_old() -> None:
    time = Time()
    told: list[Wait] = []
    pace = Pace(3, sleep=time.sleep, clock=lambda: time.now, waiting=told.append)
    for _ in range(3):
        pace.take("GET")
        time.now += 10
    pace.take("GET")
    assert time.slept == [30.0]
    assert told == [Wait("GitHub allows 3 points a minute", 30.0)]


def test_a_deletion_costs_as_much_as_five_reads() -> None:
    time = Time()
    pace = time.pace(10)
    pace.take("DELETE")
    pace.take("POST")
    pace.take("GET")
    assert time.slept == [60.0]


@pytest.mark.parametrize("methods", [["GET"] * 400, ["DELETE"] * 80, ["GET", "DELETE"] * 60])
def test_no_minute_costs_more_than_allowed(methods: list[str]) -> None:
    time = Time()
    pace = time.pace(100)
    spent = []
    for method in methods:
        pace.take(method)
        spent.append((time.now, 1 if method == "GET" else 5))
        time.now += 0.05
    for start, _ in spent:
        assert sum(cost for moment, cost in spent if start <= moment < start + 60) <= 100


def test_a_wait_of_less_than_a_second_is_a_wait() -> None:
    time = Time()
    pace = time.pace(1)
    pace.take("GET")
    time.now += 59.5
    pace.take("HEAD")
    assert time.slept == [0.5]


def test_what_was_spent_a_minute_ago_counts_no_longer() -> None:
    time = Time()
    told: list[Wait] = []
    pace = Pace(2, sleep=time.sleep, clock=lambda: time.now, waiting=told.append)
    pace.take("GET")
    time.now += 60
    for _ in range(2):
        pace.take("OPTIONS")
    assert told == []
    assert len(pace._spent) == 2
    pace.take("GET")
    assert time.slept == [60.0]


def test_github_allows_900_points_a_minute() -> None:
    time = Time()
    pace = Pace(sleep=time.sleep, clock=lambda: time.now)
    for _ in range(180):
        pace.take("DELETE")
    assert time.slept == []
    pace.take("GET")
    assert time.slept == [60.0]


def test_without_a_limit_nothing_waits() -> None:
    time = Time()
    pace = time.pace(0)
    for _ in range(5000):
        pace.take("DELETE")
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
        # A reset that is past already: no wait but for clocks that differ, and never a negative
        # one.
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
def test_how_long_a_refusal_asks_to_wait(
    status: int, headers: dict[str, str], text: str, attempt: int, expected: float | None
) -> None:
    assert refusal_wait(status, headers, text, now=NOW, attempt=attempt) == expected
