"""Names that Windows cannot have, and trees on file systems that lack things."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ghcrctl.errors import UnsupportedError
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.windows import is_foreign_to_windows


@pytest.mark.parametrize(
    "path",
    [
        "a\\b",
        "..\\..\\evil",
        "C:evil",
        "a/file:stream",
        "a/.. /evil",
        "a/.../b",
        "end.",
        "end ",
        "nul",
        "a/NUL.txt",
        "con .x",
        "COM1",
        "lpt\N{SUPERSCRIPT TWO}.log",
        "CONIN$",
        "a\x01b",
        "what?",
    ],
)
def test_windows_would_read_it_otherwise(path: str, tmp_path: Path) -> None:
    assert is_foreign_to_windows(path)
    with pytest.raises(UnsupportedError, match="Windows cannot have"):
        Extractor(tmp_path, on_windows=True).add(path, Member(path, Kind.FILE))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["", "a", "a/b.c", ".hidden", "nulls", "com10", "console", "日本"])
def test_windows_has_the_same(path: str) -> None:
    assert not is_foreign_to_windows(path)


def test_what_no_system_minds_is_made(tmp_path: Path) -> None:
    Extractor(tmp_path, on_windows=False).add("end.", Member("end.", Kind.FILE))
    assert os.listdir(tmp_path) == ["end."]  # noqa: PTH208 a path of Windows would drop the dot


def test_where_there_are_no_symbolic_links_they_are_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        # As Windows does without the right to make them.
        raise OSError(22, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    extractor = Extractor(tmp_path)
    link = Member("link", Kind.SYMLINK, target="file")
    extractor.add("file", Member("file", Kind.FILE))
    extractor.add("link", link)
    extractor.link("again", "link", link)
    extractor.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert "symbolic links of 1 files" in extractor.left_out


def test_a_further_name_is_given_where_links_are_always_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "supports_follow_symlinks", set())
    extractor = Extractor(tmp_path, as_root=False)
    member = Member("file", Kind.FILE)
    extractor.add("file", member)
    extractor.link("again", "file", member)
    assert (tmp_path / "again").samefile(tmp_path / "file")
