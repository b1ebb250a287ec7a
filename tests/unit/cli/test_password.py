"""Passwords from standard input."""

from __future__ import annotations

import io

import pytest

from ghcrctl.cli.password import read_password
from ghcrctl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        ("secret", "secret"),
        ("  two words \t\n", "  two words \t"),
        ("secret\n\n", "secret\n"),
        ("\n", ""),
        ("", ""),
    ],
)
def test_only_the_line_ending_is_removed(
    monkeypatch: pytest.MonkeyPatch, text: str, password: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert read_password() == password


def test_a_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x" * 100_000))
    with pytest.raises(UsageError, match="longer than 65536 characters"):
        read_password()
