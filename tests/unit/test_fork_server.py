"""A command in a fork behaves like one in a new process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fork_server import can_fork, run_forked
from tests.shell import Shell

ROOT = Path(__file__).parents[2]


def _in_new_process(
    shell: Shell, arguments: tuple[str, ...], stdin: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ghcrctl", *arguments],
        env=shell.environ,
        cwd=shell.folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.needs("linux")
@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("version",), ""),
        (("info", "--format", "json"), ""),
        (("images", "--no-such-option"), ""),
        (("digest", "127.0.0.1:1/octo/image:1"), ""),
        (("import", "-", "hello"), "no archive"),
        (("explain", "usage"), ""),
        (("import", "ünï.tar", "hello"), ""),
    ],
)
def test_a_fork_behaves_like_a_new_process(
    tmp_path: Path, arguments: tuple[str, ...], stdin: str
) -> None:
    shell = Shell(tmp_path)
    shell.environ["GHCRCTL_STORE"] = "relative-store"
    forked = run_forked(arguments, environ=shell.environ, cwd=shell.folder, stdin=stdin)
    assert forked
    new = _in_new_process(shell, arguments, stdin)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        new.returncode,
        new.stdout,
        new.stderr,
    )


def test_variables_of_the_interpreter_need_a_new_process() -> None:
    assert not can_fork({"PYTHONIOENCODING": "cp1252"})
    assert not can_fork({"LC_ALL": "C"})


@pytest.mark.needs("linux")
def test_a_request_that_is_too_large_is_left_to_a_new_process(tmp_path: Path) -> None:
    environ = {"LARGE": "x" * 100_000}
    assert run_forked(("version",), environ=environ, cwd=tmp_path) is None
