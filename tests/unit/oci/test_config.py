from __future__ import annotations

import pytest

from ghcrctl.oci.config import go_time


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2024-01-02T03:04:05.120000000Z", "2024-01-02T03:04:05.12Z"),
        ("2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05.123456789999+02:00", "2024-01-02T03:04:05.123456789+02:00"),
        ("2024-01-02t03:04:05.10+00:00", "2024-01-02T03:04:05.1Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_times_are_formatted_like_go(written: str, shown: str) -> None:
    assert go_time(written) == shown
