"""Platforms: parsing, normal form and selection."""

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
def test_platforms_are_parsed_and_normalized(text: str, shown: str) -> None:
    assert str(Platform.parse(text)) == shown


@pytest.mark.parametrize("text", ["linux", "Linux", "windows", "windows(10.0.1)", "macOS"])
def test_a_system_alone_is_for_this_machine(text: str) -> None:
    own = Platform("linux", os.uname().machine).normalized()
    assert Platform.parse(text).architecture == own.architecture


@pytest.mark.parametrize("text", ["", "linux/", "a/b/c/d", "linux/am d64", "linux(", "linux(+a b)"])
def test_invalid_platforms_are_rejected(text: str) -> None:
    for known in (True, False):
        with pytest.raises(InvalidPlatformError):
            Platform.parse(text, known=known)


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
    # An image may state any platform.
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
def test_the_best_platform_that_can_run_is_chosen(
    want: str, offered: list[str], chosen: int | None
) -> None:
    platforms = [Platform.parse(text) for text in offered]
    assert best_match(Platform.parse(want), platforms) == chosen


SERVER_2022, WINDOWS_11 = "windows/amd64:10.0.20348.2", "windows/amd64:10.0.22631.5"


@pytest.mark.parametrize(
    ("want", "offered", "chosen"),
    [
        # From Server 2022 on, older builds down to that one run too; the highest wins.
        # A version with fewer numbers has no build.
        # A non-numeric variant only matches itself.
        # An image may need OS features that were not requested.
        # Variants: the highest that runs, at any position.
        # The first of equals.
        ("linux/amd64", ["windows/amd64", "linux/amd64", "linux/amd64"], 1),
        ("linux/386", ["linux/amd64"], None),
        ("linux/amd64", ["unknown/unknown"], None),
    ],
)
def test_the_choice_is_that_of_containerd(
    want: str, offered: list[str], chosen: int | None
) -> None:
    platforms = [Platform.parse(text) for text in offered]
    assert best_match(Platform.parse(want), platforms) == chosen


def test_an_entry_may_lack_its_os_or_its_platform() -> None:
    want, bare = Platform("windows", "amd64"), Platform("", "amd64")
    assert best_match(want, [None, bare, None]) == 1
    assert best_match(want, [Platform("linux", "amd64"), bare]) == 1
    assert best_match(want, [None, Platform("", "arm64"), Platform("", "")]) is None


@pytest.mark.parametrize(
    ("text", "offered", "expected"),
    [
        ("linux/amd64", "linux/amd64/v3", True),
        ("linux/amd64/v2", "linux/amd64/v3", False),
        ("linux/amd64/v2", "linux/amd64", False),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm64", "linux/arm64/v9", True),
        ("linux/amd64", "windows/amd64", False),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "windows/amd64:10.0.1", True),
        ("windows/amd64:10.0.2", "windows/amd64:10.0.1", False),
        ("windows/amd64:10.0.2", "windows/amd64", False),
        ("linux/amd64", "linux(+erofs)/amd64", True),
        ("linux(+erofs)/amd64", "linux(+erofs+gpu)/amd64", True),
        ("linux(+erofs)/amd64", "linux/amd64", False),
    ],
)
def test_a_platform_selects_all_matching_entries(
    text: str, offered: str, *, expected: bool
) -> None:
    assert Platform.parse(text).selects(Platform.parse(offered)) is expected


def test_a_variant_is_selected_as_written() -> None:
    """An index may contain variants that the normal form drops."""
    entry = Platform("linux", "arm64", "v8")
    assert Platform("linux", "arm64", "v8").selects(entry)
    assert Platform("linux", "arm64").selects(entry)
    assert not Platform("linux", "arm64", "v9").selects(entry)


@pytest.mark.parametrize(
    "text",
    [
        "linux/amd64",
        "linux/arm/v7",
        "windows/amd64:10.0.17763",
        "linux(+erofs)/amd64",
        "windows(10.0.17763+a+b)/arm/v7",
    ],
)
def test_text_with_features_can_be_parsed(text: str) -> None:
    assert Platform.parse(text).with_features == text
    assert Platform.parse(Platform.parse(text).with_features) == Platform.parse(text)


_TABLES = next(
    (p / "shared" / "data" / "peers" for p in Path(__file__).parents if (p / "shared").is_dir()),
    None,
)


def _rows(name: str) -> list[list[str]]:
    if _TABLES is None or not (_TABLES / name).is_file():
        pytest.skip("the tables of other projects are not here")
    with (_TABLES / name).open(encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def test_matching_agrees_with_containerd() -> None:
    """Except 386 on amd64 and arm on arm64, which are images of another architecture."""
    for table, want, offered, theirs, _ in _rows("platforms-match.tsv"):
        one, other = Platform.parse(want), Platform.parse(offered)
        if table == "TestOnly" and one.architecture == other.architecture:
            ours = one.rank(other) is not None
            assert ours == (theirs == "True"), (want, offered)


def test_parsing_agrees_with_containerd() -> None:
    """Except unknown systems and architectures, which containerd accepts after a slash."""
    own = Platform("linux", os.uname().machine).normalized().architecture
    for text, theirs, _ in (map(json.loads, row) for row in _rows("platforms-parse.tsv")):
        if theirs == "ERR":
            with pytest.raises(InvalidPlatformError):
                Platform.parse(text)
        elif text not in {"a/b", "arm/v6"}:
            system, architecture, variant, version = theirs.split("|")
            bare = "/" not in text and architecture == "amd64" and "64" not in text
            wanted = Platform(system, own if bare else architecture, variant, version)
            found = Platform.parse(text).normalized()
            assert str(found) == str(wanted.normalized()), text
