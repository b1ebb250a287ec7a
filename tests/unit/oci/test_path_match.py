from __future__ import annotations

from pathlib import Path

import pytest

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.path_match import path_pattern
from ghcrctl.oci.reference import familiar_names

# Other projects' test tables, which are not part of this project.
_FOLDERS = (parent / "shared/data/peers" for parent in Path(__file__).parents)
_TABLE = next((f / "images-filter-reference.tsv" for f in _FOLDERS if f.is_dir()), Path("missing"))


def matches(pattern: str, text: str) -> bool:
    return path_pattern(pattern).match(text) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("", "", True),
        ("*", "alpine", True),
        ("*", "octo/app", False),
        ("a**e", "alpine", True),
        ("a?pine", "alpine", True),
        ("octo?app", "octo/app", False),
        ("[^x]lpine", "alpine", True),
        ("[^a]lpine", "alpine", False),
        ("[!a]lpine", "!lpine", True),
        ("[a-cx]lpine", "xlpine", True),
        ("[c-a]lpine", "blpine", False),
        ("[^c-a]lpine", "blpine", True),
        (r"[\-\]]", "]", True),
        ("octo[^x]app", "octo/app", True),
        (r"al\pine", "alpine", True),
        (r"al\*", "al*", True),
        (r"al\*", "alpine", False),
        ("]a-", "]a-", True),
        ("a.c", "abc", False),
        ("app:{1,2}", "app:1", False),
        ("alpine", "alpine\n", False),
    ],
)
def test_a_pattern_matches_as_in_go(pattern: str, text: str, *, wanted: bool) -> None:
    assert matches(pattern, text) is wanted


@pytest.mark.parametrize(
    "pattern",
    ["[", "[]", "[]a]", "[^]", "[a", "[a-", "[a-]", "[-x]", "[x-]", "[--x]", "\\", "a[\\"],
)
def test_a_malformed_pattern_is_an_error(pattern: str) -> None:
    with pytest.raises(InvalidFilterError, match="invalid pattern"):
        path_pattern(pattern)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("docker.io/library/alpine", ("alpine",)),
        ("docker.io/octo/app", ("octo/app",)),
        ("docker.io/library/a/b", ("a/b",)),
        ("ghcr.io/octo/app", ("ghcr.io/octo/app", "octo/app")),
        ("localhost:5000/hello", ("localhost:5000/hello",)),
        ("hello", ("hello",)),
    ],
)
def test_a_name_is_matched_as_written(name: str, wanted: tuple[str, ...]) -> None:
    assert familiar_names(name, "ghcr.io") == wanted


@pytest.mark.skipif(not _TABLE.is_file(), reason="the tables of other projects are not here")
def test_references_match_like_dockers_filter() -> None:
    rows = [line.split("\t") for line in _TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) > 300
    assert [row for row in rows if _answer(row[0], row[1]) != row[2]] == []


def _answer(reference: str, pattern: str) -> str:
    # The default registry is docker's, so that no other name is short.
    head, colon, tag = reference.rpartition(":")
    name = head if colon and "/" not in tag else reference
    (familiar,) = familiar_names(name, "docker.io")
    try:
        return str(
            matches(pattern, familiar) or matches(pattern, familiar + reference[len(name) :])
        )
    except InvalidFilterError:
        return "ERR"
