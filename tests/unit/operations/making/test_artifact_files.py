"""Paths of an artifact's files, which are never outside of the directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import RefusedError
from ghcrctl.operations.making.artifact import FileEntry, pull_artifact, push_artifact
from ghcrctl.operations.making.artifact_files import file_path, save_file, target_files
from tests.caseless import ignore_case
from tests.sessions import name_at

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

LONG = "x" * 255


def _save(folder: Path, title: str, data: bytes = b"new") -> Path:
    (target,) = target_files(folder, [title])
    place = MemoryPlace()
    save_file(Content(place, place.add(data, "a/b")), folder, target)
    return target


@pytest.mark.parametrize(
    "title", ["a", "a/b/c", LONG, f"{LONG}/{LONG}/{LONG}", "/".join("d" * 50), "ü" * 127]
)
def test_a_file_is_written_below_the_directory(tmp_path: Path, title: str) -> None:
    assert _save(tmp_path / "to", title).read_bytes() == b"new"
    assert (tmp_path / "to" / title).read_bytes() == b"new"


@pytest.mark.parametrize(
    "title",
    [
        "x" * 256,
        "ü" * 128,
        "x" * 5_000,
        "x" * 2_000_000,
        "/".join("d" * 51),
        "/".join("d" * 100_000),
        f"{LONG}/" * 4 + "x",
        "\ud800",
        f"{'x' * 256}/a",
    ],
    ids=lambda title: f"{title[:5]!r} {len(title)}",
)
def test_names_that_are_too_long_or_too_deep_are_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(RefusedError, match="cannot write the artifact's file") as caught:
        target_files(tmp_path, ["good", title])
    assert len(str(caught.value)) < 500
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("titles", [["a", "a"], ["a", "./a"], ["a/b", "a"], ["a", "a/b/c"]])
def test_a_file_that_is_another_files_directory_is_refused(
    tmp_path: Path, titles: list[str]
) -> None:
    with pytest.raises(RefusedError):
        target_files(tmp_path, titles)


def test_no_link_leads_out_of_the_directory(tmp_path: Path) -> None:
    folder, outside = tmp_path / "to", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "sub").symlink_to(outside)
    (folder / "relative").symlink_to("../outside")
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    (folder / "chain").symlink_to("sub")
    (folder / "real").mkdir()
    (folder / "real" / "deep").symlink_to("../../outside")
    for way in ("sub", "relative", "dangling", "chain", "real/deep", "sub/more"):
        with pytest.raises(RefusedError, match="a link leads out of"):
            target_files(folder, ["good", f"{way}/file"])
    assert not list(outside.iterdir())
    assert not (tmp_path / "nowhere").exists()
    assert not (folder / "good").exists()


def test_a_link_that_appears_later_is_refused_too(tmp_path: Path) -> None:
    folder = tmp_path / "to"
    (target,) = target_files(folder, ["sub/file"])
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path)
    place = MemoryPlace()
    with pytest.raises(RefusedError, match="a link leads out of"):
        save_file(Content(place, place.add(b"new", "a/b")), folder, target)
    assert not (tmp_path / "file").exists()


def test_a_link_with_the_name_of_a_file_is_replaced(tmp_path: Path) -> None:
    folder, other = tmp_path / "to", tmp_path / "other"
    folder.mkdir()
    other.write_text("mine")
    (folder / "file").symlink_to(other)
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    assert _save(folder, "file").read_bytes() == b"new"
    assert _save(folder, "dangling").read_bytes() == b"new"
    assert not (folder / "file").is_symlink()
    assert other.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_links_that_stay_inside_are_followed_as_is_one_to_the_directory(tmp_path: Path) -> None:
    folder = tmp_path / "to"
    (folder / "real").mkdir(parents=True)
    (folder / "link").symlink_to("real")
    (tmp_path / "entry").symlink_to(folder)
    _save(tmp_path / "entry", "link/file")
    assert (folder / "real" / "file").read_bytes() == b"new"


def test_a_directory_with_the_name_of_a_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("mine")
    for title in ("directory", "file/under", "file/under/it"):
        with pytest.raises(RefusedError, match="directory"):
            target_files(tmp_path, [title])
    assert (tmp_path / "file").read_text() == "mine"


def test_a_pull_of_a_deep_name_writes_nothing(
    ghcr: RegistryDouble, session: Session, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a")
    target = name_at(ghcr, session, "octo/files:1")
    deep = "/".join("d" * 2000)
    entries = [FileEntry(tmp_path / "a"), FileEntry(tmp_path / "a", title=deep)]
    push_artifact(session, target, entries, "a/b", annotations={})
    with pytest.raises(RefusedError):
        pull_artifact(session, target, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [("README", "readme"), ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\u0301")],
)
def test_names_that_are_one_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    titles = [f"x/{one}", f"x/{other}"]
    assert len(target_files(tmp_path / "to", titles)) == 2
    ignore_case(monkeypatch)
    with pytest.raises(RefusedError) as caught:
        target_files(tmp_path / "to", titles)
    assert f"`x/{one}`" in str(caught.value)
    assert f"`x/{other}`" in str(caught.value)
    assert not list(tmp_path.iterdir())
    # A second pull replaces the files of the first one.
    assert len(target_files(tmp_path, titles[:1])) == 1


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("docs/con.txt", "CON is a device name"),
        ("end.", "must not end with a dot or a space"),
        ("a?", r"must not contain '\?'"),
    ],
)
def test_a_name_that_only_windows_refuses_is_explained(title: str, why: str) -> None:
    with pytest.raises(
        RefusedError, match=rf"`{re.escape(title)}`: Windows does not allow .*{why}"
    ):
        file_path(title, on_windows=True)
    assert str(file_path(title, on_windows=False)) == title


@pytest.mark.parametrize("on_windows", [True, False])
@pytest.mark.parametrize("title", ["../x", "C:x", "a\\b", "/x", "a/../b"])
def test_a_name_that_leads_outside_is_refused_everywhere(title: str, *, on_windows: bool) -> None:
    with pytest.raises(RefusedError, match="may point outside the directory"):
        file_path(title, on_windows=on_windows)
