from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ghcrctl.cli.format.units import Measure, ago, exact, human_duration, human_size

NOW = datetime(2024, 6, 1, 12, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("size", "three", "four"),
    [
        (0, "0B", "0B"),
        (1, "1B", "1B"),
        (999, "999B", "999B"),
        (1000, "1kB", "1kB"),
        (1024, "1.02kB", "1.024kB"),
        (13256, "13.3kB", "13.26kB"),
        (7_800_000, "7.8MB", "7.8MB"),
        (999_999, "1e+03kB", "1000kB"),
        (1_000_000, "1MB", "1MB"),
        (2_746_000, "2.75MB", "2.746MB"),
        (1_050_000_000, "1.05GB", "1.05GB"),
        (3_420_000_000_000, "3.42TB", "3.42TB"),
        (2**63, "9.22EB", "9.223EB"),
        (10**30, "1e+06YB", "1e+06YB"),
    ],
)
def test_sizes_match_go_units(size: int, three: str, four: str) -> None:
    assert human_size(size) == three
    assert human_size(size, precision=4) == four


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "Less than a second"),
        (0, "Less than a second"),
        (0.45, "Less than a second"),
        (1, "1 second"),
        (45, "45 seconds"),
        (59.9, "59 seconds"),
        (MINUTE, "About a minute"),
        (119, "About a minute"),
        (3 * MINUTE, "3 minutes"),
        (35 * MINUTE + 40, "35 minutes"),
        (59 * MINUTE + 59, "59 minutes"),
        (HOUR, "About an hour"),
        (HOUR + 29 * MINUTE, "About an hour"),
        (HOUR + 30 * MINUTE, "2 hours"),
        (3 * HOUR + 29 * MINUTE, "3 hours"),
        (3 * HOUR + 31 * MINUTE, "4 hours"),
        (47 * HOUR + 29 * MINUTE, "47 hours"),
        (47 * HOUR + 31 * MINUTE, "2 days"),
        (2 * DAY, "2 days"),
        (13 * DAY + 5 * HOUR, "13 days"),
        (14 * DAY, "2 weeks"),
        (27 * DAY, "3 weeks"),
        (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (364 * DAY, "12 months"),
        (729 * DAY, "24 months"),
        (730 * DAY, "2 years"),
        (53 * 365 * DAY, "53 years"),
        (10**12, "292 years"),
    ],
)
def test_durations_match_go_units(seconds: float, expected: str) -> None:
    assert human_duration(seconds) == expected


def test_an_age_says_ago() -> None:
    assert ago(NOW - timedelta(weeks=3), NOW) == "3 weeks ago"
    assert ago(NOW + timedelta(days=1), NOW) == "Less than a second ago"
    assert ago(datetime(1970, 1, 1, tzinfo=timezone.utc), NOW) == "54 years ago"


def test_a_missing_date_is_not_available() -> None:
    year_one = datetime(1, 1, 1, tzinfo=timezone.utc)
    assert ago(None, NOW) == "N/A"
    assert ago(year_one, NOW) == "N/A"
    assert ago(year_one, NOW, missing="") == ""


def test_dates_at_the_ends_of_the_calendar_do_not_crash() -> None:
    east = timezone(timedelta(hours=14))
    west = timezone(timedelta(hours=-12))
    assert ago(datetime(1, 1, 2, tzinfo=east), NOW) == "292 years ago"
    assert ago(datetime(9999, 12, 31, 23, 59, tzinfo=west), NOW) == "Less than a second ago"
    assert ago(datetime(2024, 6, 1, 10), NOW) == "2 hours ago"  # noqa: DTZ001 - the point here


def test_the_first_year_has_four_digits() -> None:
    year_one = datetime(1, 1, 1, tzinfo=timezone.utc)
    assert exact(year_one) == "0001-01-01T00:00:00Z"
    assert Measure(NOW).at(year_one) == "0001-01-01 00:00:00 +0000 UTC"
