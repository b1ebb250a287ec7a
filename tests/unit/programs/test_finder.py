"""Finding programs, but never in the current directory, on any system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.programs.finder import Finder, ProgramNotFoundError, find_program

if TYPE_CHECKING:
    from pathlib import Path


def write_program(path: Path, mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current directory, with a `gh` in and below it."""
    folder = tmp_path / "clone"
    for name in ("gh", "bin/gh", "~/bin/gh", "gh.exe"):
        write_program(folder / name)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("entry", ["", ".", "./", "bin", "./bin", "../clone", "~/bin"])
def test_empty_and_relative_entries_of_the_path_are_skipped(
    here: Path, tmp_path: Path, entry: str
) -> None:
    real = write_program(tmp_path / "usr" / "gh")
    assert find_program("gh", {"PATH": f"{entry}:{tmp_path / 'usr'}:{entry}"}) == real
    with pytest.raises(ProgramNotFoundError, match="gh is not on the PATH") as caught:
        find_program("gh", {"PATH": f"/nowhere:{entry}"})
    assert caught.value.ignored
    assert "in the current directory is ignored" in str(caught.value)
    assert here.exists()


@pytest.mark.usefixtures("here")
def test_the_program_of_the_current_directory_is_named_even_where_no_entry_leads_there() -> None:
    with pytest.raises(ProgramNotFoundError, match="`gh` in the current directory is ignored"):
        find_program("gh", {"PATH": "/nowhere"})


def test_a_missing_program_is_only_missing(tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFoundError) as caught:
        find_program("no-such-gh", {"PATH": str(tmp_path)})
    assert str(caught.value) == "no-such-gh is not on the PATH"
    assert caught.value.ignored is None


def test_the_first_file_that_can_be_run_wins(tmp_path: Path) -> None:
    (tmp_path / "a" / "gh").mkdir(parents=True)
    write_program(tmp_path / "b" / "gh", 0o644)
    third = write_program(tmp_path / "c" / "gh")
    write_program(tmp_path / "d" / "gh")
    path = ":".join(str(tmp_path / name) for name in "abcd")
    # Root also needs an executable bit.
    assert find_program("gh", {"PATH": path}) == third


def test_only_the_given_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_program(tmp_path / "no-such-gh")
    monkeypatch.setenv("PATH", str(tmp_path))
    environ: dict[str, str]
    for environ in ({}, {"PATH": ""}):
        with pytest.raises(ProgramNotFoundError):
            find_program("no-such-gh", environ)
    # As in a shell, the system's default directories are searched without a PATH.
    assert find_program("sh", {}) in {"/bin/sh", "/usr/bin/sh"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["", ".", "..", "./gh", "bin/gh", "../clone/gh", "g\0h"])
def test_a_name_with_a_directory_is_never_run(name: str, tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFoundError):
        find_program(name, {"PATH": str(tmp_path / "clone")})


def test_a_missing_current_directory_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(ProgramNotFoundError):
        find_program("no-such-gh", {"PATH": "."})


# Windows rules, tested on any system


def windows(*programs: str, **environ: str) -> Finder:
    known = {program.lower() for program in programs}
    return Finder(environ, on_windows=True, is_program=lambda path: path.lower() in known)


@pytest.mark.parametrize("entry", ["", ".", r".\bin", "bin", r"\bin", "C:bin", "C:", "D:."])
def test_entries_that_depend_on_the_current_directory_or_drive_are_skipped(entry: str) -> None:
    hostile = [rf"{entry}\gh.exe", "gh.exe", r".\gh.exe", r"bin\gh.exe", r"\bin\gh.exe"]
    finder = windows(*hostile, "C:gh.exe", r"C:bin\gh.exe", "D:gh.exe", PATH=f"{entry};C:\\x")
    with pytest.raises(ProgramNotFoundError) as caught:
        finder.find("gh")
    assert caught.value.ignored


@pytest.mark.parametrize("folder", [r"C:\Program Files\GitHub CLI", r"\\server\share\bin", "C:/gh"])
def test_absolute_entries_are_searched(folder: str) -> None:
    expected = folder.replace("/", "\\") + r"\gh.exe"
    assert windows(expected, "gh.exe", PATH=f".;{folder}").find("gh") == expected


def test_an_entry_in_quotes_may_have_a_semicolon() -> None:
    expected = r"C:\a;b\gh.exe"
    assert windows(expected, PATH=r'C:\x;"C:\a;b";C:\y').find("gh") == expected


@pytest.mark.parametrize(
    ("pathext", "name", "files", "expected"),
    [
        (None, "gh", ["gh.exe"], "gh.exe"),
        (None, "gh", ["gh.cmd", "gh.exe"], "gh.exe"),
        (".CMD;.EXE", "gh", ["gh.cmd", "gh.exe"], "gh.cmd"),
        (".EXE", "gh", ["gh.cmd"], None),
        (".exe", "gh", ["gh.exe"], "gh.exe"),
        # CreateProcess cannot start these.
        (".JS;.PY;.VBS", "gh", ["gh.js", "gh.py", "gh.vbs"], None),
        (None, "gh", ["gh"], None),
        (None, "gh.exe", ["gh.exe"], "gh.exe"),
        (None, "gh.EXE", ["gh.exe", "gh.exe.exe"], "gh.EXE"),
        (None, "gh.2", ["gh.2.exe"], "gh.2.exe"),
        ("", "gh", ["gh.exe"], "gh.exe"),
    ],
)
def test_extensions_are_those_of_pathext_that_can_be_run(
    pathext: str | None, name: str, files: list[str], expected: str | None
) -> None:
    environ = {"PATH": r"C:\bin"} | ({} if pathext is None else {"PATHEXT": pathext})
    finder = windows(*(rf"C:\bin\{file}" for file in files), **environ)
    if expected is None:
        with pytest.raises(ProgramNotFoundError):
            finder.find(name)
    else:
        assert finder.find(name) == rf"C:\bin\{expected}"


def test_the_case_of_a_variables_name_does_not_matter_on_windows() -> None:
    assert windows(r"C:\bin\gh.exe", Path=r"C:\bin", PathExt=".exe").find("gh") == r"C:\bin\gh.exe"
    with pytest.raises(ProgramNotFoundError):
        Finder({"Path": "/usr/bin:/bin"}, on_windows=False).find("no-such-gh")


@pytest.mark.parametrize("name", [r"bin\gh", "C:gh", r"..\gh", "gh:stream"])
def test_a_windows_name_with_a_directory_drive_or_stream_is_never_run(name: str) -> None:
    with pytest.raises(ProgramNotFoundError):
        Finder({"PATH": r"C:\bin"}, on_windows=True, is_program=lambda _: True).find(name)


def test_without_a_path_nothing_is_searched_on_windows() -> None:
    with pytest.raises(ProgramNotFoundError):
        windows(r"C:\bin\gh.exe").find("gh")
