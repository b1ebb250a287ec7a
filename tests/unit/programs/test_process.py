"""Running external programs: their output, time limit and size limit."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.programs import process
from ghcrctl.programs.process import ProgramError, has_ended, run_program, start_program

if TYPE_CHECKING:
    from pathlib import Path

SH = "/bin/sh"


def sh(script: str, given: bytes = b"", seconds: float = 60, limit: int = 1000) -> process.Finished:
    environ = {"PATH": "/usr/bin:/bin"}
    return run_program([SH, "-c", script], environ, given=given, seconds=seconds, limit=limit)


def test_a_program_gets_input_and_returns_output() -> None:
    done = sh("cat; echo bad >&2; exit 3", b"\x00\xff")
    assert (done.status, done.stdout, done.stderr) == (3, b"\x00\xff", b"bad\n")


def test_a_repr_does_not_show_output() -> None:
    assert "s3cret" not in repr(sh("echo s3cret; echo s3cret >&2"))


def test_a_program_that_reads_no_input_may_still_print_output() -> None:
    assert sh("exec <&-; echo fine", bytes(1_000_000)).stdout == b"fine\n"


def test_a_signal_is_a_negative_status() -> None:
    assert sh("kill -9 $$").status == -9


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_output_is_limited(stream: str) -> None:
    assert sh(f"printf 1234567890 {stream}", limit=10).status == 0
    with pytest.raises(ProgramError, match="printed more than 10 bytes"):
        sh(f"printf 12345678901 {stream}", limit=10)
    with pytest.raises(ProgramError, match="printed more than 1000 bytes"):
        sh(f"while :; do echo endless {stream}; done")


def test_a_hanging_program_is_killed() -> None:
    before = time.monotonic()
    with pytest.raises(ProgramError, match=r"did not finish within 0\.2 seconds"):
        sh("exec sleep 100", seconds=0.2)
    assert time.monotonic() - before < 50


def test_a_process_left_behind_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_REST_SECONDS", 0.2)
    done = sh("echo told; sleep 20 & exit 0")
    assert (done.status, done.stdout) == (0, b"told\n")


@pytest.mark.parametrize("program", ["sh", "./sh", "bin/sh", ""])
def test_only_an_absolute_path_is_started(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProgramError, match="relative"):
        start_program([program], {"PATH": "/bin"})


def test_the_systems_reason_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="No such file"):
        start_program([str(tmp_path / "none")], {})
    with pytest.raises(ProgramError, match="null byte"):
        start_program([SH, "a\0b"], {})


@pytest.mark.parametrize("suffix", [".bat", ".CMD"])
@pytest.mark.parametrize("character", list('"%&|<>^!\r\n'))
def test_a_batch_file_gets_no_argument_that_cmd_interprets(
    tmp_path: Path, suffix: str, character: str
) -> None:
    program = tmp_path / f"docker{suffix}"
    program.write_text("#!/bin/sh\necho ran\n")
    program.chmod(0o755)
    with pytest.raises(ProgramError, match=r"batch file"):
        run_program([str(program), f"A=b{character}calc"], {}, seconds=60)
    assert run_program([str(program), "A=b (c)"], {}, seconds=60).stdout == b"ran\n"


@pytest.mark.parametrize("on_windows", [True, False])
def test_on_windows_children_skip_the_current_directory_too(*, on_windows: bool) -> None:
    script = 'test "$NoDefaultCurrentDirectoryInExePath" = 1'
    started = start_program([SH, "-c", script], {}, on_windows=on_windows)
    assert has_ended(started, 60)
    assert (started.returncode == 0) is on_windows


def test_a_running_program_has_not_ended() -> None:
    started = start_program([sys.executable, "-c", "input()"], {}, stdin=subprocess.PIPE)
    assert not has_ended(started, 0.01)
    started.kill()
    assert has_ended(started, 60)
    assert started.stdin
    started.stdin.close()
