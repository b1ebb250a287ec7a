"""Closed pipes end commands quietly, with the same exit status on every system."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile

import pytest

from tests.shell import Shell

# As on Windows, where the error of a closed pipe is EINVAL.
_WINDOWS = """
import errno, io, sys
from ghcrctl.cli import streams

class Pipe(io.FileIO):
    def write(self, data):
        try:
            return super().write(data)
        except BrokenPipeError:
            raise OSError(errno.EINVAL, "Invalid argument") from None

streams._IS_WINDOWS = True
for number, name in ((1, "stdout"), (2, "stderr")):
    buffer = io.BufferedWriter(Pipe(number, "w", closefd=False))
    setattr(sys, name, io.TextIOWrapper(buffer, encoding="utf-8"))
"""
_PROGRAM = """
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""
_COMMANDS = [
    "images",
    "--version",
    "ls --help",
    "help",
    "cat hello a",
    "save hello -o -",
    "export -o - hello",
    "inspect hello",
]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home with output larger than any buffer."""
    folder = tmp_path_factory.mktemp("pipes")
    shell = Shell(folder / "home")
    data = bytes(range(256)) * 4096
    with tarfile.open(folder / "rootfs.tar", "w") as tar:
        member = tarfile.TarInfo("a")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    shell.ok("import", str(folder / "rootfs.tar"), "hello")
    return shell


def _run(shell: Shell, line: str, *, closed: str, is_windows: bool) -> tuple[int, str]:
    """Run a command with a closed stream, and return the status and the other stream."""
    program = (_WINDOWS if is_windows else "import sys\n") + _PROGRAM
    process = subprocess.Popen(
        [sys.executable, "-c", program, *line.split()],
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    streams = {"stdout": process.stdout, "stderr": process.stderr}
    gone, other = streams.pop(closed), *streams.values()
    assert gone
    assert other
    gone.close()
    with other:
        seen = other.read().decode()
    return process.wait(60), seen


@pytest.mark.parametrize("is_windows", [False, True], ids=["unix", "windows"])
@pytest.mark.parametrize("line", _COMMANDS)
def test_output_to_a_closed_pipe_is_a_quiet_end(
    shell: Shell, line: str, *, is_windows: bool
) -> None:
    assert _run(shell, line, closed="stdout", is_windows=is_windows) == (141, "")


@pytest.mark.parametrize("is_windows", [False, True], ids=["unix", "windows"])
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("cat hello none", 4),
        ("pull x@y", 2),
        ("nonsense", 2),
        ("digest --debug --format json x:y:z", 2),
        ("images --quiet --debug", 0),
    ],
)
def test_messages_to_a_closed_pipe_keep_the_status(
    shell: Shell, line: str, status: int, *, is_windows: bool
) -> None:
    found, seen = _run(shell, line, closed="stderr", is_windows=is_windows)
    assert (found, "Traceback" in seen) == (status, False)


def test_on_windows_another_error_of_output_is_reported(shell: Shell) -> None:
    script = (
        _WINDOWS.replace("errno.EINVAL", "errno.EIO").replace("BrokenPipeError", "OSError")
        + _PROGRAM
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "images"],
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with process.stderr as stderr:
        assert b"cannot write to standard output" in stderr.read()
    assert process.wait(60) == 8


def test_elsewhere_an_invalid_argument_is_reported(shell: Shell) -> None:
    script = _WINDOWS.replace("_IS_WINDOWS = True", "_IS_WINDOWS = False") + _PROGRAM
    process = subprocess.Popen(
        [sys.executable, "-c", script, "images"],
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with process.stderr as stderr:
        assert b"cannot write to standard output: Invalid argument" in stderr.read()
    assert process.wait(60) == 8
