"""Files that Windows refuses to replace or delete, temporarily or because they are read-only."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from ghcrctl.disk import open_handles
from ghcrctl.disk.durability import move, write_atomically
from ghcrctl.disk.removal import discard, discard_locked, remove, remove_directory, remove_tree

BUSY = 32


def windows_error(code: int) -> PermissionError:
    error = PermissionError(13, "The process cannot access the file")
    setattr(error, "winerror", code)  # noqa: B010 only Windows has it
    return error


class Refusing:
    """A method of Path that fails a number of times."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, method: str, times: int, error: OSError
    ) -> None:
        self.tries = 0
        real = getattr(Path, method)

        def act(path: Path, *given: object, **options: object) -> object:
            self.tries += 1
            if self.tries <= times:
                raise error
            return real(path, *given, **options)

        monkeypatch.setattr(Path, method, act)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_handles, "PAUSES", (0.001,) * 4)


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_file_is_replaced_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, code: int
) -> None:
    Refusing(monkeypatch, "replace", times, windows_error(code))
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_file_is_deleted_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    Refusing(monkeypatch, "unlink", 2, windows_error(BUSY))
    remove(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    remove(tmp_path / "file")


def test_a_directory_is_deleted_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    Refusing(monkeypatch, "rmdir", 2, windows_error(BUSY))
    remove_directory(tmp_path / "folder")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "on_windows", "tries"),
    [
        (windows_error(BUSY), False, 5),
        (PermissionError(13, "no"), True, 5),
        (PermissionError(13, "no"), False, 1),
        (windows_error(112), False, 1),
        (OSError(28, "full"), True, 1),
    ],
    ids=["open", "permission on Windows", "permission", "Windows without space", "full"],
)
def test_retries_are_limited_and_only_for_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, on_windows: bool, tries: int
) -> None:
    monkeypatch.setattr(open_handles, "IS_WINDOWS", on_windows)
    (tmp_path / "aside").touch()
    found = Refusing(monkeypatch, "replace", 99, error)
    with pytest.raises(type(error)) as caught:
        move(tmp_path / "aside", tmp_path / "file")
    assert caught.value is error
    assert found.tries == tries


def test_cleanup_errors_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Refusing(monkeypatch, "unlink", 99, PermissionError(13, "no"))
    discard(tmp_path / "file")


@pytest.mark.parametrize("on_windows", [False, True])
def test_a_held_lock_file_is_deleted_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_windows: bool
) -> None:
    monkeypatch.setattr(open_handles, "IS_WINDOWS", on_windows)
    (tmp_path / "file").touch()
    discard_locked(tmp_path / "file")
    assert (tmp_path / "file").exists() == on_windows


# Read-only files


def _is_read_only(path: Any, dir_fd: int | None = None) -> bool:
    try:
        return not os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode & stat.S_IWRITE
    except FileNotFoundError:
        return False


@pytest.fixture
def read_only_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to delete and to replace read-only files, like Windows."""
    real: dict[str, Any] = {"unlink": os.unlink, "replace": os.replace}

    def unlink(path: Any, *, dir_fd: int | None = None, missing_ok: bool = False) -> None:
        if _is_read_only(path, dir_fd):
            raise windows_error(5)
        with suppress(FileNotFoundError) if missing_ok else nullcontext():
            real["unlink"](path, dir_fd=dir_fd)

    def replace(source: Any, target: Any) -> None:
        if _is_read_only(target):
            raise windows_error(5)
        real["replace"](source, target)

    for name, act in (("unlink", unlink), ("replace", replace)):
        monkeypatch.setattr(os, name, act)
        monkeypatch.setattr(Path, name, act)


@pytest.mark.usefixtures("read_only_files")
def test_read_only_files_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o444)
    remove(path)
    assert not path.exists()


@pytest.mark.usefixtures("read_only_files")
def test_read_only_files_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o444)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.usefixtures("read_only_files")
def test_a_tree_with_read_only_files_is_deleted(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_tree(tree)
    for path in tree.rglob("file*"):
        path.chmod(0o444)
    remove_tree(tree)
    assert not tree.exists()


def test_a_tree_with_closed_directories_is_deleted(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_tree(tree)
    for path in (tree / "a" / "b", tree / "a", tree):
        path.chmod(0o000)
    remove_tree(tree)
    assert not tree.exists()


@pytest.mark.parametrize(("on_windows", "tries"), [(False, 1), (True, 5)])
def test_directories_are_opened_and_a_tree_that_stays_is_tried_again_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_windows: bool, tries: int
) -> None:
    monkeypatch.setattr(open_handles, "IS_WINDOWS", on_windows)
    tree, calls = tmp_path / "tree", list[Path]()
    make_tree(tree)
    for path in (tree / "a" / "b", tree / "a", tree):
        path.chmod(0o500)
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_: calls.append(path))
    remove_tree(tree)
    assert calls == [tree] * tries
    for path in (tree, tree / "a", tree / "a" / "b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def make_tree(tree: Path) -> None:
    (tree / "a" / "b").mkdir(parents=True)
    for folder in (tree, tree / "a", tree / "a" / "b"):
        for number in range(3):
            (folder / f"file{number}").touch()


def test_links_in_a_tree_and_to_a_tree_are_not_followed(tmp_path: Path) -> None:
    make_tree(tmp_path / "kept")
    (tmp_path / "kept").chmod(0o500)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o500
    assert (tmp_path / "kept" / "a" / "b" / "file2").exists()


def test_a_tree_with_one_undeletable_file_loses_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    make_tree(tree)
    real = os.unlink

    def unlink(path: Any, *, dir_fd: int | None = None) -> None:
        if Path(path).name == "file1":
            raise PermissionError(1, "immutable")
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    remove_tree(tree)
    assert {path.name for path in tree.rglob("*") if path.is_file()} == {"file1"}


def test_on_windows_a_tree_is_deleted_once_its_files_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_handles, "IS_WINDOWS", True)
    tree, left = tmp_path / "tree", [3]
    make_tree(tree)
    real = os.unlink

    def unlink(path: Any, *, dir_fd: int | None = None) -> None:
        if Path(path).name == "file1" and left[0]:
            left[0] -= 1
            raise windows_error(BUSY)
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    remove_tree(tree)
    assert not tree.exists()
