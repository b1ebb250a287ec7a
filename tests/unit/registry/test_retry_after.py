"""The wait that a registry requests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from ghcrctl.registry.retry_after import requested_wait


@pytest.mark.parametrize(
    ("header", "message", "seconds"),
    [
        (None, "", None),
        ("7", "", 7.0),
        (" 0 ", "", 0.0),
        ("soon", "", None),
        ("-5", "", None),
        # After ghcr.io's microseconds, the next request would fall into the same second.
        (None, '{"message": "retry-after: 880.092µs, allowed: 44000/minute"}', 1.0),
        (None, "retry-after: 1m30.5s", 90.5),
        (None, "Retry-After: 1500ms", 1.5),
        (None, "retry-after: 2h", 7200.0),
        (None, "try later", None),
        ("3", "retry-after: 9s", 3.0),
        ("soon", "retry-after: 9s", 9.0),
        ("", "retry-after: 9s", 9.0),
        ("\N{ARABIC-INDIC DIGIT THREE}", "", None),
        ("1.5", "", None),
        (None, "retry-after: 1h2m3.5s, allowed", 3723.5),
        (None, "retry-after: 5us", 1.0),
        (None, "retry-after: 5000000\N{GREEK SMALL LETTER MU}s", 5.0),
        (None, "RETRY-AFTER: 5S", 5.0),
        (None, r'{"message": "retry-after: 7000000\u00b5s, allowed"}', 7.0),
        (None, "retry-after: 5", None),
        (None, "retry-after: s", None),
        # An invalid time zone or day is a time in the past.
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "", 0.0),
        ("Mon, 99 Jan 2024 00:00:00 GMT", "", 0.0),
        # Case-insensitive expressions match a long s as an s.
        (None, "retry-after: 5\N{LATIN SMALL LETTER LONG S}", 5.0),
    ],
)
def test_each_form_is_parsed(header: str | None, message: str, seconds: float | None) -> None:
    assert requested_wait(header, message) == seconds


def test_a_date_is_a_wait_until_then() -> None:
    then = datetime.now(timezone.utc) + timedelta(seconds=30)
    seconds = requested_wait(format_datetime(then, usegmt=True), "")
    assert seconds is not None
    assert 27 < seconds <= 30
    assert (requested_wait(then.strftime("%a, %d %b %Y %H:%M:%S"), "") or 0.0) > 27
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    assert requested_wait(format_datetime(past, usegmt=True), "") == 0.0


def test_an_absurd_number_is_a_long_wait() -> None:
    assert (requested_wait("1" * 30, "") or 0.0) >= 3600
