"""Unfinished files of a process that exits early."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.disk.unfinished_files import discard_unfinished, unfinished

if TYPE_CHECKING:
    from pathlib import Path

# A thread writes a file and never ends; the main thread exits.
_END = """
import os, sys, threading, time
from pathlib import Path
from ghcrctl.disk.unfinished_files import discard_unfinished
from ghcrctl.store.output_files import whole_file
begun = threading.Event()
def write():
    with whole_file(Path(sys.argv[1])) as take:
        take(b"half")
        begun.set()
        time.sleep(60)
threading.Thread(target=write, daemon=True).start()
begun.wait(30)
discard_unfinished()
os._exit(3)
"""


def test_a_finished_file_is_kept(tmp_path: Path) -> None:
    with unfinished(tmp_path / "file"):
        (tmp_path / "file").touch()
    discard_unfinished()
    assert (tmp_path / "file").exists()


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_a_file_that_fails_is_deleted(tmp_path: Path, error: BaseException) -> None:
    def fail() -> None:
        with unfinished(tmp_path / "file"):
            (tmp_path / "file").touch()
            raise error

    with pytest.raises(type(error)):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_process_that_ends_at_once_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", _END, str(path)], check=False, timeout=60)
    assert done.returncode == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert path.read_bytes() == b"old"
