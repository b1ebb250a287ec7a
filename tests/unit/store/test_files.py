"""Files that are whole or not there, and what the disk says in our words."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import ExitStatus, NoSpaceError, StoreError, StoreReadOnlyError
from ghcrctl.store import files
from ghcrctl.store.files import disk_errors, publish, write_atomically
from ghcrctl.store.place import StorePlace
from tests.builders import random_image
from tests.unit.store.acts import fill, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.store.store import Store

IMAGE = random_image(seed=1)


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.ENOSPC, NoSpaceError, "free some space"),
        (errno.EDQUOT, NoSpaceError, "free some space"),
        (errno.EFBIG, NoSpaceError, "free some space"),
        (errno.EROFS, StoreReadOnlyError, "permissions"),
        (errno.EACCES, StoreReadOnlyError, "permissions"),
        (errno.EPERM, StoreReadOnlyError, "permissions"),
        (errno.EIO, StoreError, ""),
        (errno.ENOTDIR, StoreError, ""),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else "",
)
def test_what_the_disk_says_is_told_in_our_words(
    number: int, kind: type[StoreError], hint: str
) -> None:
    with pytest.raises(StoreError) as caught, disk_errors("write the list"):
        raise OSError(number, os.strerror(number), "/data")
    assert type(caught.value) is kind
    assert str(caught.value) == f"cannot write the list: {os.strerror(number)}"
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_status is ExitStatus.STORE


@pytest.mark.parametrize("in_store", [True, False])
def test_another_store_is_advised_only_where_the_store_is_written(*, in_store: bool) -> None:
    with pytest.raises(StoreError) as caught, disk_errors("write", in_store=in_store):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    assert ("--store" in (caught.value.hint or "")) == in_store


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old" * 1000, b"new"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_read_stays_whole_while_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with path.open("rb") as file:
        write_atomically(path, b"new")
        assert file.read() == b"old"


def test_a_replacement_that_fails_leaves_the_old_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(OSError, match="taken"):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert list(path.iterdir()) == [path / "inside"]


def test_a_missing_file_cannot_be_published(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "gone", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"


def _as_file(path: Path) -> None:
    path.unlink() if path.is_file() else path.rename(path.with_name("elsewhere"))
    path.write_bytes(b"in the way")


def _as_folder(path: Path) -> None:
    path.unlink()
    (path / "in the way").mkdir(parents=True)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("ghcrctl", _as_file),
        ("ghcrctl/leases", _as_file),
        ("ghcrctl/partial", _as_file),
        ("ghcrctl/lock", _as_folder),
        ("blobs", _as_file),
        ("index.json", _as_folder),
        ("oci-layout", _as_folder),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_something_in_the_way_is_told_and_stays(
    store: Store, name: str, harm: Callable[[Path], None]
) -> None:
    fill(store, IMAGE, "image")
    store.close()
    harm(store.root / name)
    before = _listing(store.root)
    with pytest.raises(StoreError) as caught:
        fill(open_store(store.root), random_image(seed=2), "other")
    assert caught.value.exit_status is ExitStatus.STORE
    assert "\n" not in str(caught.value)
    assert _listing(store.root).items() >= before.items()


def _listing(root: Path) -> dict[Path, bytes | None]:
    """Return what is there, but for what a lock may leave."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if path.suffix != ".lock" and path.name != "lock"
    }


def test_an_image_can_be_read_where_nothing_can_be_written(store: Store) -> None:
    fill(store, IMAGE, "image")
    store.close()
    _as_file(store.root / "ghcrctl" / "leases")
    reader = open_store(store.root)
    assert [r.name for r in reader.records()] == ["image"]
    assert StorePlace(reader).exists(IMAGE.root)
    assert read_metadata(reader.blobs, IMAGE.root) == IMAGE.raw


class _OpenElsewhere:
    """What Windows says of a file that another process has open, for so many tries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> None:
        self.tries = 0
        real = getattr(Path, method)

        def act(path: Path, *given: object, **options: object) -> object:
            self.tries += 1
            if self.tries <= times:
                raise PermissionError(13, "The process cannot access the file")
            return real(path, *given, **options)

        monkeypatch.setattr(Path, method, act)
        monkeypatch.setattr(files, "_PAUSES", (0.001,) * 4)


@pytest.mark.parametrize("times", [1, 4])
def test_on_windows_a_file_is_replaced_once_nobody_reads_it(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    _OpenElsewhere(monkeypatch, "replace", times)
    files.write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_on_windows_a_file_is_removed_once_nobody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    (tmp_path / "file").touch()
    _OpenElsewhere(monkeypatch, "unlink", 2)
    files.remove(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    files.remove(tmp_path / "file")


@pytest.mark.parametrize(("is_windows", "tries"), [(True, 5), (False, 1)])
def test_a_file_that_stays_open_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_windows: bool, tries: int
) -> None:
    monkeypatch.setattr(files, "_IS_WINDOWS", is_windows)
    found = _OpenElsewhere(monkeypatch, "replace", 99)
    with pytest.raises(PermissionError):
        files.take_place(tmp_path / "aside", tmp_path / "file")
    assert found.tries == tries
