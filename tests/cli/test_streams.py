"""Output on consoles with limited encodings is escaped, and JSON remains valid."""

from __future__ import annotations

import codecs
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ghcrctl.cli.streams import escaped
from tests.shell import Shell

NAME = "日本/\N{GRINNING FACE}"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home with an image with non-ASCII text, and a console with a limited encoding."""
    shell = Shell(tmp_path / "home")
    path = tmp_path / "rootfs.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo(NAME)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    shell.ok("import", "-c", "LABEL words=日本", "-m", "日本", str(path), "hello")
    shell.environ["PYTHONIOENCODING"] = "cp1252"
    return shell


@pytest.mark.parametrize(
    "line",
    [
        "ls hello",
        "ls --recursive hello",
        "images --tree",
        "images --format {{.Repository}}\N{GREEK SMALL LETTER OMEGA}",
        "inspect hello",
        "history hello",
        "history --no-trunc hello",
        "diff hello hello",
        "df --verbose",
    ],
)
def test_nothing_is_too_much_for_a_console(shell: Shell, line: str) -> None:
    done = shell.run(*line.split())
    assert (done.returncode, done.stderr) == (0, "")


def test_errors_with_unencodable_text_are_printed(shell: Shell) -> None:
    assert "日" not in shell.fails(2, "pull", "日本")
    assert "\\u65e5" in shell.fails(4, "cat", "hello", "/日本/none")


def test_json_means_the_same_on_every_console(shell: Shell) -> None:
    (image,) = json.loads("\n".join(shell.ok("inspect", "hello")))
    assert image["Config"]["Labels"] == {"words": "日本"}
    listed = [json.loads(line) for line in shell.ok("ls", "--format", "json", "hello", "/日本")]
    assert "\N{GRINNING FACE}" in str(listed)


def test_encodable_text_is_printed_unchanged(shell: Shell) -> None:
    assert shell.run("ls", "hello").stdout == "\\u65e5\\u672c\n"
    shell.environ["PYTHONIOENCODING"] = "utf-8"
    assert shell.run("ls", "hello").stdout == "日本\n"


def test_lines_end_alike_everywhere(shell: Shell) -> None:
    assert "\r" not in shell.run("images").stdout


@pytest.mark.parametrize(
    ("text", "shown"),
    [("é日", "é\\u65e5"), ("\N{GRINNING FACE}", "\\ud83d\\ude00"), ("\ud800", "\\ud800")],
)
def test_escapes_are_those_of_json(text: str, shown: str) -> None:
    codecs.register_error("tested", escaped)
    assert text.encode("cp1252", "tested") == shown.encode("cp1252")
    assert json.loads(f'"{shown}"') == text


def test_only_writing_is_mended() -> None:
    codecs.register_error("tested", escaped)
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", "tested")


@pytest.mark.needs("/dev/full")
@pytest.mark.parametrize(
    "line",
    ["images", "images --format json", "--version", "ls --help", f"cat hello {NAME}", "save hello"],
)
def test_unwritable_output_is_not_a_bug(shell: Shell, line: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = _ghcrctl(shell, line, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 8
    told = json.loads(done.stderr)["error"] if "json" in line else {"message": done.stderr}
    assert "No space left on device" in told["message"]
    assert "bug" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    ("closed", "name", "status"),
    [
        (">&-", "hello", 8),
        ("2>&-", "hello", 0),
        ("<&- >&- 2>&-", "hello", 8),
        ("2>&-", "none", 4),
        ("<&- 2>&-", "none", 4),
        # A template prints an empty line for a missing image.
        (">&-", "none", 8),
    ],
)
def test_a_closed_standard_output_is_an_error(
    shell: Shell, closed: str, name: str, status: int
) -> None:
    line = f"exec {shlex.quote(sys.executable)} -W error -m ghcrctl inspect {name} {closed}"
    done = subprocess.run(
        ["sh", "-c", line], env=shell.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    if status == 8 and "2>&-" not in closed:
        assert "cannot write to standard output: it is closed" in done.stderr


@pytest.mark.parametrize("line", ["images", "--version", "--help", "manifest", "help", "tags x:1"])
def test_no_command_loses_its_output_in_silence(shell: Shell, line: str) -> None:
    whole = f"exec {shlex.quote(sys.executable)} -m ghcrctl {line} >&-"
    done = subprocess.run(
        ["sh", "-c", whole], env=shell.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")


def test_a_command_that_prints_nothing_needs_no_standard_output(shell: Shell) -> None:
    line = f"exec {shlex.quote(sys.executable)} -m ghcrctl tag hello other >&-"
    assert subprocess.run(["sh", "-c", line], env=shell.environ, check=False).returncode == 0


@pytest.mark.parametrize("line", ["inspect none", "inspect --format json none", "nonsense"])
def test_an_error_on_a_closed_stderr_keeps_its_status(shell: Shell, line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = _ghcrctl(shell, line, stdout=subprocess.DEVNULL, stderr=writing)
    finally:
        os.close(writing)
    assert done.returncode == (2 if line == "nonsense" else 4)


def _ghcrctl(shell: Shell, line: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ghcrctl", *line.split()],
        env=shell.environ,
        text=True,
        check=False,
        **streams,
    )
