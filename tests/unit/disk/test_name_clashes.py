"""File names that a file system does not distinguish."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.disk.name_clashes import folded, is_one_file, name_on_disk, similar_paths
from tests.caseless import ignore_case

if TYPE_CHECKING:
    from pathlib import Path

COMPOSED, DECOMPOSED = "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"


@pytest.mark.parametrize(
    ("one", "other"),
    [("readme", "README"), (COMPOSED, DECOMPOSED), (COMPOSED.upper(), DECOMPOSED), ("Ω", "ω")],
)
def test_names_that_some_file_systems_do_not_distinguish(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("é", "e"), ("é", "ü"), ("a", "a ")])
def test_names_that_every_file_system_distinguishes(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("paths", "pairs"),
    [
        (["a", "b", "c/a"], []),
        (["a", "A"], [("a", "A")]),
        (["x/a", "x/A"], [("x/a", "x/A")]),
        (["x", "x/a", "X", "X/a"], [("x", "X")]),
        (["x/a", "X/b"], [("x", "X")]),
        (["x/a", "X/A"], [("x/a", "X/A"), ("x", "X")]),
        (["x/y/a", "x/Y/a"], [("x/y", "x/Y")]),
        ([COMPOSED, DECOMPOSED], [(COMPOSED, DECOMPOSED)]),
        (["x/a", "x/b", "x/a"], []),
        (["", "a"], []),
    ],
)
def test_similar_paths(paths: list[str], pairs: list[tuple[str, str]]) -> None:
    assert list(similar_paths(paths)) == pairs


@pytest.mark.parametrize("deep", [False, True])
def test_the_file_system_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deep: bool
) -> None:
    folder = tmp_path / "new" / "folder" if deep else tmp_path
    assert not is_one_file(folder, "x/a", "x/A")
    ignore_case(monkeypatch)
    assert is_one_file(folder, "x/a", "x/A")
    assert not is_one_file(folder, "x/a", "x/b")
    assert not list(tmp_path.iterdir())


def test_names_that_the_system_cannot_have_are_not_one_file(tmp_path: Path) -> None:
    assert not is_one_file(tmp_path, "x" * 300, "X" * 300)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_written_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "mkdir", refuse)
    assert not is_one_file(tmp_path, "a", "A")


def test_the_name_of_a_file_in_the_way_is_found(tmp_path: Path) -> None:
    for name in ("Readme", COMPOSED, "other"):
        (tmp_path / name).touch()
    assert name_on_disk(tmp_path / "README") == "Readme"
    assert name_on_disk(tmp_path / DECOMPOSED) == COMPOSED
    assert name_on_disk(tmp_path / "Readme") is None
    assert name_on_disk(tmp_path / "another") is None
    assert name_on_disk(tmp_path / "none" / "file") is None
