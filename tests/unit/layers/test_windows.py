"""Names that are invalid on Windows, and file systems with missing features."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ghcrctl.errors import StoreError, UnsupportedError
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.windows_names import has_long_paths, is_invalid_on_windows, windows_name_error
from tests.caseless import ignore_case

WITHOUT_PRIVILEGE = OSError(22, "A required privilege is not held by the client")
WITHOUT_PRIVILEGE.winerror = 1314  # type: ignore[attr-defined, unused-ignore]


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
        "x" * 256,
        "\N{PILE OF POO}" * 128,
    ],
)
def test_invalid_windows_path_is_rejected(path: str, tmp_path: Path) -> None:
    assert is_invalid_on_windows(path)
    with pytest.raises(UnsupportedError, match="Windows does not allow"):
        Extractor(tmp_path, on_windows=True).add(path, Member(path, Kind.FILE))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "a b",
        "a/b.c",
        ".hidden",
        "nulls",
        "com10",
        "console",
        "日本",
        "x" * 255,
        "日" * 255,
    ],
)
def test_valid_windows_path_is_accepted(path: str) -> None:
    assert not is_invalid_on_windows(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("etc/a:b", "must not contain ':'"),
        ("etc/end.", "end with a dot or a space"),
        ("dev/aux.txt/x", "AUX is a device"),
        ("x" * 256, "longer than 255 characters"),
    ],
)
def test_name_error_has_the_file_and_the_reason(path: str, reason: str, tmp_path: Path) -> None:
    assert reason in str(windows_name_error(path))
    with pytest.raises(UnsupportedError) as caught:
        Extractor(tmp_path, on_windows=True).add(path, Member(path, Kind.FILE))
    assert f"cannot create `{path}`" in str(caught.value)
    assert reason in str(caught.value)
    assert "export -o" in str(caught.value.hint)


def test_all_names_are_checked_before_the_first_file(tmp_path: Path) -> None:
    tree = Tree()
    tree.apply(0, [Member("a", Kind.DIRECTORY), Member("z/nul", Kind.FILE)])
    with pytest.raises(UnsupportedError, match="`z/nul`"):
        Extractor(tmp_path, on_windows=True).check(tree.walk())
    Extractor(tmp_path, on_windows=False).check(tree.walk())


@pytest.mark.parametrize(
    ("kind", "longest"), [(Kind.DIRECTORY, 247), (Kind.FILE, 259), (Kind.SYMLINK, 259)]
)
def test_path_length_on_windows(kind: Kind, longest: int, tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, on_windows=True)
    room = longest - len(f"{tmp_path}/")
    name = "/".join(["d" * 9] * 30)[: room - 1].rstrip("/").ljust(room, "x")
    (tmp_path / name).parent.mkdir(parents=True)
    extractor.add(name, Member(name, kind, target="t" if kind is Kind.SYMLINK else ""))
    with pytest.raises(UnsupportedError, match="too long for Windows") as caught:
        extractor.add(name + "x", Member(name + "x", kind, target="t"))
    assert f"cannot create `{name}x`" in str(caught.value)
    assert "LongPathsEnabled" in str(caught.value.hint)


def test_lengths_are_checked_before_the_first_file(tmp_path: Path) -> None:
    room = 255 - len(f"{tmp_path}/")
    tree, other = Tree(), Tree()
    tree.apply(0, [Member("x" * room, Kind.FILE)])
    other.apply(0, [Member("x" * room, Kind.DIRECTORY)])
    Extractor(tmp_path, on_windows=True).check(tree.walk())
    with pytest.raises(UnsupportedError, match="too long for Windows"):
        Extractor(tmp_path, on_windows=True).check(other.walk())


def test_long_paths_if_windows_allows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghcrctl.layers.extraction.has_long_paths", lambda: True)
    name = "/".join(["d" * 99] * 4)
    (tmp_path / name).parent.mkdir(parents=True)
    Extractor(tmp_path, on_windows=True).add(name, Member(name, Kind.FILE))
    assert (tmp_path / name).is_file()


@pytest.mark.parametrize(
    ("system", "functions", "expected"),
    [
        ("win32", {"RtlAreLongPathsEnabled": lambda: 1}, True),
        ("win32", {"RtlAreLongPathsEnabled": lambda: 0}, False),
        ("win32", {}, False),
        ("linux", {"RtlAreLongPathsEnabled": lambda: 1}, False),
    ],
)
def test_detect_long_paths_of_windows(
    monkeypatch: pytest.MonkeyPatch, system: str, functions: dict[str, object], *, expected: bool
) -> None:
    def library(name: str) -> SimpleNamespace:
        assert name == "ntdll"
        return SimpleNamespace(**functions)

    monkeypatch.setattr(ctypes, "WinDLL", library, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    assert has_long_paths() is expected


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK])
def test_error_has_the_rejected_name(kind: Kind, tmp_path: Path) -> None:
    name = "x" * 256
    member = Member(name, kind, target="t" if kind is Kind.SYMLINK else "")
    with pytest.raises(StoreError, match=rf"cannot create `{'x' * 200}.*: File name too long"):
        Extractor(tmp_path, on_windows=False).add(name, member)


def test_error_has_the_rejected_name_of_a_hard_link(tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, on_windows=False)
    extractor.add("a", Member("a", Kind.FILE))
    with pytest.raises(StoreError, match="cannot create `xxx"):
        extractor.link("x" * 256, "a", Member("a", Kind.FILE))


def test_valid_names_are_created(tmp_path: Path) -> None:
    Extractor(tmp_path, on_windows=False).add("end.", Member("end.", Kind.FILE))
    assert os.listdir(tmp_path) == ["end."]  # noqa: PTH208 a path of Windows would drop the dot


def test_unsupported_symbolic_links_are_omitted_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        # Windows reports this without the privilege to create links.
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


@pytest.mark.parametrize("on_windows", [True, False])
def test_missing_privilege_on_windows_mentions_developer_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, on_windows: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise WITHOUT_PRIVILEGE

    monkeypatch.setattr(Path, "symlink_to", refuse)
    extractor = Extractor(tmp_path, on_windows=on_windows)
    extractor.add("link", Member("link", Kind.SYMLINK, target="file"))
    extractor.add("more", Member("more", Kind.SYMLINK, target="a:b"))
    extractor.finish()
    [reported] = [text for text in extractor.left_out if "Developer Mode" in text]
    assert reported.startswith(f"symbolic links of {1 if on_windows else 2} files (Windows")
    is_told = (
        "symbolic links of 1 files (Windows does not allow their targets)" in extractor.left_out
    )
    assert is_told == on_windows


def test_owners_and_set_id_bits_are_not_reported_on_windows(tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, as_root=False, on_windows=True)
    extractor.add("d", Member("d", Kind.DIRECTORY, mode=0o2755, uid=12, gid=34))
    extractor.add("d/su", Member("d/su", Kind.FILE, mode=0o6755, uid=12, gid=34))
    extractor.finish()
    assert extractor.left_out == []
    assert stat.S_IMODE((tmp_path / "d" / "su").stat().st_mode) == 0o755


def test_clash_of_a_link_and_a_file_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignore_case(monkeypatch)
    extractor = Extractor(tmp_path, on_windows=True)
    extractor.add("readme", Member("readme", Kind.FILE))
    extractor.add("README", Member("README", Kind.SYMLINK, target="readme"))
    with pytest.raises(UnsupportedError, match="cannot create `readme` and `README`"):
        extractor.finish()


Made = dict[str, tuple[str, bool]]


@pytest.fixture(name="made")
def _made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Record created symbolic links by path: the target, and whether it is a directory."""
    made: Made = {}

    def note(place: Path, target: str, target_is_directory: bool = False) -> None:
        made[place.relative_to(tmp_path).as_posix()] = (target, target_is_directory)
        os.symlink(target, place)  # noqa: PTH211 the method is replaced

    monkeypatch.setattr(Path, "symlink_to", note)
    return made


@pytest.mark.parametrize(
    ("target", "on_disk", "is_directory"),
    [
        ("usr/bin", "usr\\bin", True),
        ("/usr/bin", "\\usr\\bin", True),
        ("./usr//bin/", "usr\\bin", True),
        ("usr/bin/sh", "usr\\bin\\sh", False),
        ("usr/lib", "usr\\lib", True),
        ("usr/lib64", "usr\\lib64", True),
        ("to-sh", "to-sh", False),
        ("usr/bin/../bin", "usr\\bin\\..\\bin", True),
        ("../../../usr", "..\\..\\..\\usr", True),
        ("nothing", "nothing", False),
        ("nothing/", "nothing", True),
        ("nothing/..", "nothing\\..", True),
        ("nothing/.", "nothing", True),
        ("usr/bin/sh/x", "usr\\bin\\sh\\x", False),
        ("//server/share", "\\server\\share", False),
        ("circle", "circle", False),
        ("/", "\\", True),
        (".", ".", True),
        ("..", "..", True),
    ],
)
def test_windows_link_has_backslashes_and_the_kind_of_its_target(
    target: str, on_disk: str, made: Made, tmp_path: Path, *, is_directory: bool
) -> None:
    extractor = Extractor(tmp_path, on_windows=True)
    extractor.add("", Member("", Kind.DIRECTORY))
    extractor.add("a-link", Member("a-link", Kind.SYMLINK, target=target))
    extractor.add("circle", Member("circle", Kind.SYMLINK, target="a-link"))
    extractor.add("to-sh", Member("to-sh", Kind.SYMLINK, target="usr/bin/sh"))
    for path in ("usr", "usr/bin", "usr/lib32"):
        extractor.add(path, Member(path, Kind.DIRECTORY))
    extractor.add("usr/lib", Member("usr/lib", Kind.SYMLINK, target="lib32"))
    extractor.add("usr/lib64", Member("usr/lib64", Kind.SYMLINK, target="/usr/lib"))
    extractor.add("usr/bin/sh", Member("usr/bin/sh", Kind.FILE))
    assert not made
    extractor.finish()
    assert made["a-link"] == (on_disk, is_directory)
    assert made["usr/lib"] == ("lib32", True)
    assert made["usr/lib64"] == ("\\usr\\lib", True)


def test_hard_link_to_a_symbolic_link_on_windows(made: Made, tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, on_windows=True)
    link = Member("link", Kind.SYMLINK, target="bin")
    extractor.add("link", link)
    extractor.add("usr", Member("usr", Kind.DIRECTORY))
    extractor.link("usr/link", "link", link)
    extractor.add("usr/bin", Member("usr/bin", Kind.DIRECTORY))
    extractor.finish()
    assert made == {"link": ("bin", False), "usr/link": ("bin", True)}


@pytest.mark.parametrize(
    "target", ["C:/Windows", "..\\..\\evil", "\\\\server\\share", "dir/nul", "a:b", "end.", "... "]
)
def test_link_with_an_invalid_windows_target_is_omitted(
    target: str, made: Made, tmp_path: Path
) -> None:
    extractor = Extractor(tmp_path, on_windows=True)
    extractor.add("link", Member("link", Kind.SYMLINK, target=target))
    extractor.finish()
    assert not made
    assert "symbolic links of 1 files (Windows does not allow their targets)" in extractor.left_out


def test_hard_link_to_a_symbolic_link_on_other_systems(tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, on_windows=False)
    link = Member("link", Kind.SYMLINK, target="file")
    extractor.add("file", Member("file", Kind.FILE))
    extractor.add("link", link)
    extractor.link("again", "link", link)
    extractor.finish()
    assert (tmp_path / "again").is_symlink()


def test_symbolic_links_are_unchanged_on_other_systems(made: Made, tmp_path: Path) -> None:
    extractor = Extractor(tmp_path, on_windows=False)
    extractor.add("link", Member("link", Kind.SYMLINK, target="a/b:c"))
    assert made == {"link": ("a/b:c", False)}
    extractor.finish()


def test_hard_link_on_systems_that_follow_symbolic_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "supports_follow_symlinks", set())
    extractor = Extractor(tmp_path, as_root=False)
    member = Member("file", Kind.FILE)
    extractor.add("file", member)
    extractor.link("again", "file", member)
    assert (tmp_path / "again").samefile(tmp_path / "file")


# Names that differ only in case or Unicode normalization


CLASHES = [("readme", "README"), ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\u0301")]


@pytest.mark.parametrize(("one", "other"), CLASHES)
@pytest.mark.parametrize("kind", [Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.FIFO])
def test_clash_of_names_on_the_file_system_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str, kind: Kind
) -> None:
    if kind is Kind.FIFO and not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    ignore_case(monkeypatch)
    extractor = Extractor(tmp_path, on_windows=False)
    extractor.add("x", Member("x", Kind.DIRECTORY))
    extractor.add(f"x/{one}", Member(one, Kind.FILE))
    with pytest.raises(UnsupportedError) as caught:
        extractor.add(f"x/{other}", Member(other, kind, target="nowhere"))
    assert str(caught.value) == (
        f"cannot create `x/{one}` and `x/{other}`: "
        "this file system does not distinguish these names"
    )
    with pytest.raises(UnsupportedError, match=f"`x/{one}` and `x/{other}`"):
        extractor.link(f"x/{other}", f"x/{one}", Member(other, Kind.FILE))


@pytest.mark.parametrize(("one", "other"), CLASHES)
def test_clashing_names_are_found_before_a_file_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    tree = Tree()
    tree.apply(0, [Member(f"x/{name}", Kind.FILE) for name in (one, other)])
    Extractor(tmp_path, on_windows=False).check(tree.walk())
    ignore_case(monkeypatch)
    with pytest.raises(UnsupportedError) as caught:
        Extractor(tmp_path, on_windows=False).check(tree.walk())
    assert f"`x/{one}`" in str(caught.value)
    assert f"`x/{other}`" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_existing_file_with_the_same_name_is_another_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError):
        Extractor(tmp_path, on_windows=False).add("a", Member("a", Kind.FILE))
