"""Platforms: text, normal form, choice."""

from __future__ import annotations

import pytest

from ghcrctl.errors import InvalidPlatformError
from ghcrctl.oci.platform import Platform, best_match


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("linux/amd64", "linux/amd64"),
        ("amd64", "linux/amd64"),
        ("x86_64", "linux/amd64"),
        ("Linux/AARCH64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("windows/amd64:10.0.17763.1", "windows/amd64:10.0.17763.1"),
        ("windows(10.0.17763)/amd64", "windows/amd64:10.0.17763"),
        ("macos/arm64", "darwin/arm64"),
    ],
)
def test_reads_and_normalises(text: str, shown: str) -> None:
    assert str(Platform.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "linux", "linux/", "a/b/c/d", "linux/am d64", "windows"])
def test_refuses_what_is_none(text: str) -> None:
    with pytest.raises(InvalidPlatformError):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("want", "offered", "chosen"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1),
        ("linux/arm/v6", ["linux/arm/v7"], None),
        ("linux/arm64", ["linux/arm/v7"], None),
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64"], 1),
        ("windows/amd64:10.0.20348.1", ["windows/amd64:10.0.17763.9"], None),
        (
            "windows/amd64:10.0.20348.1",
            ["windows/amd64:10.0.20348.5", "windows/amd64:10.0.20348.9"],
            1,
        ),
        ("windows/amd64", ["windows/amd64:10.0.17763.9", "windows/amd64:10.0.20348.9"], 0),
        ("linux/amd64", [], None),
    ],
)
def test_chooses_the_best_that_can_run(want: str, offered: list[str], chosen: int | None) -> None:
    platforms = [Platform.parse(text) for text in offered]
    assert best_match(Platform.parse(want), platforms) == chosen
