"""Exclusive locks on files, with many processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from ghcrctl.errors import RefusedError, StoreError, StoreLockedError
from ghcrctl.store import locks
from ghcrctl.store.locks import exclusive_directory, exclusive_file

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.store.store import Store

# Increments a number under the lock; a lost update means that the lock failed.
COUNT = """
import sys, time
from pathlib import Path
from ghcrctl.store.locks import exclusive_file
path = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with exclusive_file(path, patience=60):
        number = int(path.read_text())
        time.sleep(0.001)
        path.write_text(str(number + 1))
"""


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with exclusive_file(path):
        with pytest.raises(RefusedError, match="another process is using"), exclusive_file(path):
            pass
        with pytest.raises(RefusedError), exclusive_file(path, patience=0.2):
            pass
    with exclusive_file(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_directory_of_a_file_is_created(tmp_path: Path) -> None:
    with exclusive_file(tmp_path / "deep" / "folder" / "file"):
        pass
    assert list((tmp_path / "deep" / "folder").iterdir()) == []


def test_a_lock_ends_with_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), exclusive_file(tmp_path / "file"):
        raise ValueError("mine")
    with exclusive_file(tmp_path / "file"):
        pass


def test_many_processes_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_text("0")
    command = [sys.executable, "-c", COUNT, str(path), "25"]
    running = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert path.read_text() == "100"
    assert list(tmp_path.iterdir()) == [path]


# Files that are replaced while they are being locked


class Replacing:
    """Replaces a file while it is being locked, a number of times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.tries = 0
        real = os.path.samestat

        def compare(one: os.stat_result, other: os.stat_result) -> bool:
            self.tries += 1
            return self.tries > times and real(one, other)

        monkeypatch.setattr(os.path, "samestat", compare)
        monkeypatch.setattr(locks, "_RETRY_SECONDS", 0.0)


@pytest.mark.parametrize("patience", [0.0, 0.2])
def test_a_lock_file_that_is_always_replaced_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    found = Replacing(monkeypatch, 10**9)
    refused = pytest.raises(RefusedError, match=r"file\.lock was replaced")
    with refused, exclusive_file(tmp_path / "file", patience=patience):
        pass
    assert found.tries >= locks._MAX_ATTEMPTS
    if not patience:
        assert found.tries == locks._MAX_ATTEMPTS


def test_a_lock_file_replaced_for_a_while_is_locked_eventually(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Replacing(monkeypatch, locks._MAX_ATTEMPTS - 1)
    with exclusive_file(tmp_path / "file"):
        assert (tmp_path / "file.lock").exists()
    assert not list(tmp_path.iterdir())


def test_patience_outlasts_many_replacements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Replacing(monkeypatch, 3 * locks._MAX_ATTEMPTS)
    with exclusive_file(tmp_path / "file", patience=60):
        pass


def test_a_lock_on_a_deleted_file_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.lock"
    acquire, times = FileLock.acquire, [2]

    def acquire_then_lose(lock: FileLock, *given: Any, **more: Any) -> Any:
        taken = acquire(lock, *given, **more)
        if times[0]:
            times[0] -= 1
            path.unlink()
        return taken

    monkeypatch.setattr(FileLock, "acquire", acquire_then_lose)
    with exclusive_file(tmp_path / "file"):
        assert path.exists()
    assert times == [0]


@pytest.mark.parametrize("times", [0, 3])
def test_a_store_locks_the_file_with_the_current_name(
    store: Store, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    store.prepare()
    found = Replacing(monkeypatch, times)
    with store.locked(), store.locked():
        assert found.tries == times + 1
    assert not store._lock.is_locked


def test_a_store_whose_lock_is_always_replaced_is_an_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    found = Replacing(monkeypatch, 10**9)
    with pytest.raises(StoreLockedError, match="lock: it was replaced 20 times"), store.locked():
        pass
    assert found.tries == locks._MAX_ATTEMPTS
    assert not store._lock.is_locked


def test_a_lock_that_cannot_be_compared_is_released(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    store.prepare()
    monkeypatch.setattr(os.path, "samestat", fail)
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)), store.locked():
        pass
    assert not store._lock.is_locked


unix_only = pytest.mark.needs("directory locks")


@unix_only
def test_a_directory_that_is_always_replaced_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Replacing(monkeypatch, 10**9)
    with (
        pytest.raises(StoreLockedError, match="it was replaced 20 times"),
        exclusive_directory(tmp_path),
    ):
        pass
    assert found.tries == locks._MAX_ATTEMPTS
    monkeypatch.undo()
    with exclusive_directory(tmp_path):
        pass


@unix_only
def test_a_replaced_directory_is_locked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Replacing(monkeypatch, 2)
    with exclusive_directory(tmp_path):
        monkeypatch.setattr(locks, "LOCK_SECONDS", 0.1)
        refused = pytest.raises(StoreLockedError, match="another process has held the lock")
        with refused, exclusive_directory(tmp_path):
            pass
    with exclusive_directory(tmp_path):
        pass


@unix_only
def test_locking_a_directory_waits(tmp_path: Path) -> None:
    inside, turns = threading.Event(), []

    def hold() -> None:
        with exclusive_directory(tmp_path):
            inside.set()
            time.sleep(0.1)
            turns.append("first")

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    with exclusive_directory(tmp_path):
        turns.append("second")
    thread.join()
    assert turns == ["first", "second"]


@pytest.mark.parametrize("held", [False, True])
def test_without_directory_locks_a_file_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.1)
    (tmp_path / "folder").mkdir()
    with exclusive_directory(tmp_path / "folder"):
        if held:
            with pytest.raises(StoreLockedError), exclusive_directory(tmp_path / "folder"):
                pass
    with exclusive_directory(tmp_path / "folder"):
        assert not list((tmp_path / "folder").iterdir())
