"""Files that survive a power failure."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.disk import durability, open_handles
from ghcrctl.disk.durability import (
    AppendedFile,
    durable_file,
    make_directories,
    move,
    publish,
    sync_directory,
    write_atomically,
)
from tests.disk_faults import break_disk
from tests.disk_record import DiskRecord

if TYPE_CHECKING:
    from collections.abc import Callable

unix_only = pytest.mark.needs("directory sync")


def _fail(number: int) -> Callable[..., Any]:
    def act(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return act


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old" * 1000, b"new"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_being_read_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with path.open("rb") as file:
        write_atomically(path, b"new")
        assert file.read() == b"old"


def test_a_failed_replacement_leaves_only_the_old_file(tmp_path: Path) -> None:
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


@unix_only
def test_a_written_file_is_durable(tmp_path: Path) -> None:
    for data in (b"old", b"new"):
        with DiskRecord(tmp_path).watching() as record:
            write_atomically(tmp_path / "file", data)
        assert [name for name in record.synced if not name.startswith(".file")] == [tmp_path.name]


@unix_only
def test_created_directories_are_durable(tmp_path: Path) -> None:
    with DiskRecord(tmp_path).watching() as record:
        make_directories(tmp_path / "a" / "b" / "c", 0o700)
        assert len(record.synced) == 3
        make_directories(tmp_path / "a" / "b" / "c")
        assert len(record.synced) == 3
    assert stat.S_IMODE((tmp_path / "a" / "b" / "c").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) != 0o700


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"")
    make_directories(tmp_path / "folder")
    with durable_file(tmp_path / "other"):
        pass
    found = [stat.S_IMODE(path.stat().st_mode) for path in sorted(tmp_path.iterdir())]
    assert found == [0o666 & ~_umask(), 0o777 & ~_umask(), 0o666 & ~_umask()]


def test_another_process_may_create_a_directory_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    real, asked = Path.is_dir, list[Path]()

    def late(path: Path) -> bool:
        asked.append(path)
        return len(asked) > 1 and real(path)

    monkeypatch.setattr(Path, "is_dir", late)
    make_directories(tmp_path / "folder")


def test_a_drive_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    monkeypatch.setattr(Path, "mkdir", _fail(errno.ENOENT))
    with pytest.raises(FileNotFoundError):
        make_directories(Path("/"))


def test_a_file_in_the_way_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises((FileExistsError, NotADirectoryError)):
            make_directories(path)


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_new_file_has_its_mode_from_the_start(tmp_path: Path, mode: int) -> None:
    with durable_file(tmp_path / "file", mode) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError), durable_file(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_step_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    owner: object = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, _fail(number))
    with pytest.raises(OSError) as caught:  # noqa: PT011 its number is checked
        write_atomically(path, b"new")
    assert caught.value.errno == number
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_writer_leaves_no_file(tmp_path: Path) -> None:
    def interrupted() -> None:
        with durable_file(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_a_disk_error_does_not_hide_the_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        with durable_file(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    break_disk(monkeypatch.setattr, "write", errno.ENOSPC, "file")
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


# Results of syncing on different systems


@pytest.mark.parametrize("number", sorted(durability._NOT_SYNCED))
@unix_only
def test_a_directory_that_cannot_be_synced_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", _fail(number))
    sync_directory(tmp_path)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
@unix_only
def test_a_directory_that_fails_to_be_synced_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", _fail(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        sync_directory(tmp_path)


@unix_only
def test_a_directory_without_read_permission_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", _fail(errno.EACCES))
    sync_directory(tmp_path)


@unix_only
def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_directory(tmp_path / "none")


@unix_only
def test_a_sync_closes_what_it_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    real = os.open

    def note(*given: Any) -> int:
        opened.append(real(*given))
        return opened[-1]

    monkeypatch.setattr(os, "open", note)
    sync_directory(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_windows_syncs_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_handles, "IS_WINDOWS", True)
    monkeypatch.setattr(os, "open", _fail(errno.EIO))
    monkeypatch.setattr(os, "fsync", _fail(errno.EIO))
    sync_directory(tmp_path)


class _Mac:
    """A system with full syncs, which may be unsupported for a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: int = 0) -> None:
        import fcntl

        self.calls: list[str] = []
        self._answer = answer
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", self._control)
        monkeypatch.setattr(os, "fsync", lambda _: self.calls.append("fsync"))

    def _control(self, _handle: int, command: int) -> int:
        assert command == 51
        self.calls.append("full")
        if self._answer:
            raise OSError(self._answer, os.strerror(self._answer))
        return 0


def test_macos_syncs_beyond_the_cache_of_the_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = _Mac(monkeypatch)
    write_atomically(tmp_path / "file", b"new")
    assert mac.calls == ["full", "full"]


@pytest.mark.parametrize("number", sorted(durability._UNSUPPORTED))
def test_a_file_system_without_full_syncs_is_synced_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    mac = _Mac(monkeypatch, number)
    with durable_file(tmp_path / "file"):
        pass
    assert mac.calls == ["full", "fsync"]


def test_a_full_sync_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = _Mac(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), durable_file(tmp_path / "file"):
        pass
    assert mac.calls == ["full"]


# Appended files


@unix_only
def test_appended_data_is_durable_at_once(tmp_path: Path) -> None:
    with DiskRecord(tmp_path).watching() as record:
        file = AppendedFile(tmp_path / "file")
        record.check("after it was opened")
        for data in (b"one\n", b"two\n"):
            file.append(data)
            record.check("after an addition")
        assert file.size == 8
        file.close()
    assert (tmp_path / "file").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failed_append_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    file = AppendedFile(tmp_path / "file")
    file.append(b"one\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _fail(number))
        with pytest.raises(OSError, match=os.strerror(number)):
            file.append(b"two\n")
    assert (tmp_path / "file").read_bytes() == b"one\n"
    file.append(b"three\n")
    file.close()
    assert (tmp_path / "file").read_bytes() == b"one\nthree\n"


@unix_only
def test_a_file_whose_directory_cannot_be_synced_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _fail(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        # An open file is a ResourceWarning, which is an error in tests.
        AppendedFile(tmp_path / "file")


def test_a_directory_is_moved_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").touch()
    move(tmp_path / "old", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
