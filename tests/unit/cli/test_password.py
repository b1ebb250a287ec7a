"""Passwords from standard input."""

from __future__ import annotations

import io
import sys

import pytest

from ghcrctl.cli.password import read_password
from ghcrctl.cli.streams import escape_unencodable_text
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


@pytest.mark.parametrize("data", ["sécret\r\n".encode(), "\ufeffsécret\n".encode()])
def test_pipes_have_utf_8_on_windows(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("ghcrctl.cli.streams._IS_WINDOWS", True)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="cp1252"))
    for name in ("sys.stdout", "sys.stderr"):
        monkeypatch.setattr(name, io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    escape_unencodable_text()
    assert read_password() == "sécret"
    assert sys.stdout.encoding == "utf-8"


def test_other_systems_keep_their_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghcrctl.cli.streams._IS_WINDOWS", False)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xe9\n"), encoding="cp1252"))
    for name in ("sys.stdout", "sys.stderr"):
        monkeypatch.setattr(name, io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    escape_unencodable_text()
    assert read_password() == "é"
    assert sys.stdout.encoding == "cp1252"


def test_the_encoding_of_a_windows_console_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Console(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("ghcrctl.cli.streams._IS_WINDOWS", True)
    for name in ("sys.stdin", "sys.stdout", "sys.stderr"):
        monkeypatch.setattr(name, Console(io.BytesIO(b"\xe9\n"), encoding="cp1252"))
    escape_unencodable_text()
    assert read_password() == "é"
    assert sys.stdout.encoding == "cp1252"


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_not_text_are_refused(monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8", errors=errors)
    monkeypatch.setattr("sys.stdin", stream)
    with pytest.raises(UsageError, match="not valid text"):
        read_password()


def test_a_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x" * 100_000))
    with pytest.raises(UsageError, match="longer than 65536 characters"):
        read_password()
