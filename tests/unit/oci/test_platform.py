"""Platforms: text, normal form, choice."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

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
        ("windows(10.0.17763+win32k)/amd64", "windows/amd64:10.0.17763"),
        ("linux(+gpu+simd)/amd64", "linux/amd64"),
        ("windows()/amd64", "windows/amd64"),
        ("macos/arm64", "darwin/arm64"),
        ("linux/arm64/v9.0", "linux/arm64/v9"),
        ("linux/arm64/8.0", "linux/arm64"),
        ("linux/arm64/v8.1", "linux/arm64/v8.1"),
    ],
)
def test_reads_and_normalises(text: str, shown: str) -> None:
    assert str(Platform.parse(text)) == shown


@pytest.mark.parametrize("text", ["linux", "Linux", "windows", "windows(10.0.1)", "macOS"])
def test_a_system_alone_is_for_this_machine(text: str) -> None:
    own = Platform("linux", os.uname().machine).normalised()
    assert Platform.parse(text).architecture == own.architecture


@pytest.mark.parametrize("text", ["", "linux/", "a/b/c/d", "linux/am d64", "linux(", "linux(+a b)"])
def test_refuses_what_is_none(text: str) -> None:
    with pytest.raises(InvalidPlatformError):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("text", "unknown", "hint"),
    [
        ("linux/amd46", "architecture `amd46`", "did you mean `amd64`?"),
        ("amd46", "architecture `amd46`", "did you mean `amd64`?"),
        ("linus/amd64", "operating system `linus`", "did you mean `linux`?"),
        ("arm/v6", "operating system `arm`", "linux/arm/v7"),
        ("v7", "architecture `v7`", "linux/arm/v7"),
        ("10.0.17763", "architecture `10.0.17763`", "linux/arm/v7"),
    ],
)
def test_unknown_systems_and_architectures_are_refused(text: str, unknown: str, hint: str) -> None:
    with pytest.raises(InvalidPlatformError) as caught:
        Platform.parse(text)
    assert caught.value.exit_status == 2
    assert caught.value.message == f"invalid platform `{text}`: unknown {unknown}"
    assert hint in str(caught.value.hint)
    # An image itself may say anything.
    assert Platform.parse(text, known=False).os


def test_features_are_kept() -> None:
    said = {"os": "windows", "architecture": "amd64", "os.features": ["win32k"]}
    assert Platform.from_json(said).to_json() == said
    assert Platform.parse("linux(+simd+gpu)/amd64").os_features == ("gpu", "simd")
    assert Platform.from_json({"os": "linux", "os.features": [1, "a"]}).os_features == ("a",)
    assert Platform.from_json({"os": "linux", "os.features": "a"}).os_features == ()


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
        ("windows/amd64:10.0.20348.1", ["windows/amd64"], 0),
        (
            "windows/amd64:10.0.20348.1",
            ["windows/amd64", "windows/amd64:10.0.20348.9"],
            1,
        ),
        ("linux/arm64/v8.1", ["linux/arm64/v8.2", "linux/arm64", "linux/arm64/v9"], 1),
        ("linux/arm64/v9", ["linux/arm64/v8.6", "linux/arm64/v8.4", "linux/arm64/v8.5"], 2),
        ("linux/arm64/v9.6", ["linux/arm64/v8.10", "linux/arm64/v8.9", "linux/arm64/v9.1"], 2),
        ("linux/arm/v7", ["linux/arm/v4"], None),
        ("linux/amd64", [], None),
    ],
)
def test_chooses_the_best_that_can_run(want: str, offered: list[str], chosen: int | None) -> None:
    platforms = [Platform.parse(text) for text in offered]
    assert best_match(Platform.parse(want), platforms) == chosen


_TABLES = next(
    (p / "shared" / "data" / "peers" for p in Path(__file__).parents if (p / "shared").is_dir()),
    None,
)


def _rows(name: str) -> list[list[str]]:
    if _TABLES is None or not (_TABLES / name).is_file():
        pytest.skip("the tables of other projects are not here")
    with (_TABLES / name).open(encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def test_matches_as_containerd_does() -> None:
    """But for 386 on amd64 and arm on arm64, which are another architecture's images."""
    for table, want, offered, theirs, _ in _rows("platforms-match.tsv"):
        one, other = Platform.parse(want), Platform.parse(offered)
        if table == "TestOnly" and one.architecture == other.architecture:
            ours = one.rank(other) is not None
            assert ours == (theirs == "True"), (want, offered)


def test_reads_what_containerd_reads() -> None:
    """But for an OS or an architecture that nobody knows, which containerd takes after a slash."""
    own = Platform("linux", os.uname().machine).normalised().architecture
    for text, theirs, _ in (map(json.loads, row) for row in _rows("platforms-parse.tsv")):
        if theirs == "ERR":
            with pytest.raises(InvalidPlatformError):
                Platform.parse(text)
        elif text not in {"a/b", "arm/v6"}:
            system, architecture, variant, version = theirs.split("|")
            bare = "/" not in text and architecture == "amd64" and "64" not in text
            wanted = Platform(system, own if bare else architecture, variant, version)
            found = Platform.parse(text).normalised()
            assert str(found) == str(wanted.normalised()), text
