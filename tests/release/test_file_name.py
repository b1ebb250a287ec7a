"""Names of single files."""

from __future__ import annotations

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from release.file_name import file_name, machine_kind, python_version

SCRIPT = Path(__file__).parents[2] / "release/file_name.py"


@pytest.mark.parametrize(
    ("system", "machine", "built_for", "abi", "expected"),
    [
        ("linux", "x86_64", "linux-x86_64", "cpython-311-x86_64-linux-gnu", "linux_x86_64"),
        ("linux", "aarch64", "linux-aarch64", "cpython-311-aarch64-linux-gnu", "linux_arm64"),
        ("linux", "x86_64", "linux-x86_64", "cpython-312-x86_64-linux-musl", "musl_x86_64"),
        ("darwin", "arm64", "macosx-11.0-universal2", "cpython-313-darwin", "macos_arm64"),
        ("darwin", "x86_64", "macosx-11.0-universal2", "cpython-313-darwin", "macos_x86_64"),
        ("win32", "AMD64", "win-amd64", None, "windows_x86_64"),
        ("win32", "ARM64", "win-amd64", None, "windows_x86_64"),
        ("win32", "ARM64", "win-arm64", None, "windows_arm64"),
    ],
)
def test_a_kind_of_machine_is_system_and_processor(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    built_for: str,
    abi: str | None,
    expected: str,
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: built_for)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: abi)
    assert machine_kind() == expected
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert machine_kind() == f"{expected}_32bit"


def test_a_job_prints_the_name_for_its_python() -> None:
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, "1.2.3"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == file_name("1.2.3")
    assert f"ghcrctl-1.2.3-py{python_version()}-" in done.stdout
