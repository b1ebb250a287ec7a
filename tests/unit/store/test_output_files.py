"""Files and directories that the user names as output."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ghcrctl.errors import NoSpaceError, StoreError, StoreReadOnlyError, UsageError
from ghcrctl.store.output_files import (
    check_not_read,
    check_output_directory,
    check_output_file,
    mkdir_command,
    output_errors,
    whole_file,
)
from tests.disk_faults import ERRORS, break_disk

posix_only = pytest.mark.needs("modes", "pipes")


def _write(path: Path, data: bytes = b"new", *, private: bool = False) -> None:
    with whole_file(path, private=private) as write:
        write(data)


@posix_only
def test_a_new_file_follows_the_umask_unless_it_is_private(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "public"):
            pass
        _write(tmp_path / "private", private=True)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"public": 0o640, "private": 0o600}


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o400, 0o4755])
def test_an_existing_file_keeps_its_permissions_but_no_set_id_bits(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    _write(path, private=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o777


@posix_only
@pytest.mark.parametrize("step", ["write", "sync", "rename"])
@pytest.mark.parametrize("number", ERRORS)
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    break_disk(monkeypatch.setattr, step, number, "out")
    with pytest.raises(StoreError) as caught:
        _write(path, b"new" * 1_000_000)
    full = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    kinds = {errno.EROFS: StoreReadOnlyError, errno.EIO: StoreError}
    assert type(caught.value) is (NoSpaceError if number in full else kinds[number])
    assert str(caught.value) == f"cannot write {path}: {os.strerror(number)}"
    assert "--store" not in (caught.value.hint or "")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix_only
def test_a_failed_write_names_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_disk(monkeypatch.setattr, "write", errno.ENOSPC, "out")
    refused = pytest.raises(NoSpaceError, match=f"cannot write {tmp_path / 'out'}")
    with whole_file(tmp_path / "out") as write, refused:
        write(b"x" * 1_000_000)


def test_an_interrupted_writer_keeps_the_old_file(tmp_path: Path) -> None:
    def interrupted() -> None:
        with whole_file(tmp_path / "out") as write:
            write(b"half")
            raise KeyboardInterrupt

    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "out").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@posix_only
def test_a_device_and_a_pipe_are_written_to(tmp_path: Path) -> None:
    _write(Path(os.devnull))
    assert not Path(os.devnull).is_file()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    _write(pipe)
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.needs("/dev/full")
def test_a_failing_device_is_not_a_usage_error() -> None:
    with pytest.raises(NoSpaceError, match="cannot write /dev/full"):
        _write(Path("/dev/full"))
    refused = pytest.raises(NoSpaceError, match="cannot write /dev/full")
    with whole_file(Path("/dev/full")) as write, refused:
        write(b"x" * 1_000_000)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none/out", "does not exist"),
        ("file/out", "is not a directory"),
        ("folder", "folder: it is a directory"),
        ("folder/..", r"folder/\.\.`: it is a directory"),
        ("x" * 300, os.strerror(errno.ENAMETOOLONG)),
        ("circle", os.strerror(errno.ELOOP)),
        ("dangling", "does not exist"),
    ],
)
def test_an_invalid_file_path_is_a_usage_error(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "dangling").symlink_to("none/file")
    before = sorted(tmp_path.iterdir())
    for act in (check_output_file, _write):
        with pytest.raises(UsageError, match=why):
            act(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("path", "on_windows", "command"),
    [
        ("/a/b", False, "mkdir -p /a/b"),
        ("/my dir/$b", False, "mkdir -p '/my dir/$b'"),
        ("C:\\a\\b", True, "mkdir C:\\a\\b"),
        ("C:\\my dir\\b", True, 'mkdir "C:\\my dir\\b"'),
    ],
)
def test_the_command_that_creates_a_directory(path: str, command: str, *, on_windows: bool) -> None:
    assert mkdir_command(path, on_windows=on_windows) == command


def test_a_dangling_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    check_output_file(tmp_path / "link")
    _write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["file", "file/below", "file/deep/below"])
def test_an_invalid_directory_path_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is not a directory"):
        check_output_directory(tmp_path / name)


@pytest.mark.parametrize("name", ["", "folder", "none", "none/deep"])
def test_a_directory_may_be_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    check_output_directory(tmp_path / name)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENOTDIR])
def test_an_invalid_path_is_a_usage_error_with_the_reason(number: int) -> None:
    with pytest.raises(UsageError) as caught, output_errors(Path("out")):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"cannot write out: {os.strerror(number)}"
    with pytest.raises(UsageError, match="cannot write out: odd"), output_errors(Path("out")):
        raise _odd(number)


def _odd(number: int) -> OSError:
    error = OSError("odd")
    error.errno = number
    return error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_other_errors_are_disk_errors(number: int) -> None:
    with pytest.raises(StoreError, match="cannot write out"), output_errors(Path("out")):
        raise OSError(number, os.strerror(number))


def test_an_output_that_is_an_input_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    check_not_read(path, [path])
    for each in (path, other):
        each.touch()
    (tmp_path / "link").symlink_to("a")
    check_not_read(path, [other, tmp_path, tmp_path / "none"])
    for same in (path, tmp_path / "link"):
        with pytest.raises(UsageError, match="it is also an input"):
            check_not_read(path, [other, tmp_path / "none", same])
    # A directory may be both input and output.
    check_not_read(tmp_path, [tmp_path])


def test_files_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    left = tmp_path / f".out.{2**22 + 1}.0badcafe"
    left.touch()
    _write(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
