"""Having a file to oneself, among processes that come and go."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import RefusedError
from ghcrctl.store.locks import alone_at

if TYPE_CHECKING:
    from pathlib import Path

# Adds one to a number so often, each time alone; a lost turn is a lost number.
COUNT = """
import sys, time
from pathlib import Path
from ghcrctl.store.locks import alone_at
path = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with alone_at(path, patience=60):
        number = int(path.read_text())
        time.sleep(0.001)
        path.write_text(str(number + 1))
"""


def test_a_second_one_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with alone_at(path):
        with pytest.raises(RefusedError, match="another process is at"), alone_at(path):
            pass
        with pytest.raises(RefusedError), alone_at(path, patience=0.2):
            pass
    with alone_at(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_ends_with_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), alone_at(tmp_path / "file"):
        raise ValueError("mine")
    with alone_at(tmp_path / "file"):
        pass


def test_many_processes_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_text("0")
    command = [sys.executable, "-c", COUNT, str(path), "25"]
    running = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert path.read_text() == "100"
    assert list(tmp_path.iterdir()) == [path]
