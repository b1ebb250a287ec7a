"""Start-up is a feature: what a quick command must not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SLOW = {"cheroot", "cryptography", "http.client", "keyring", "requests", "ssl", "truststore"}
SLOW |= {"rich", "rich.progress", "urllib3", "werkzeug"}
PROGRAM = """
import json, sys
from ghcrctl.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print(json.dumps([ended.code or 0, sorted(sys.modules)]), file=sys.stderr)
"""
IMPORT_AND_TAG = [["import", "tree.tar", "hello"], ["tag", "hello", "octo/hello:1.0"]]


def run(folder: Path, *arguments: str) -> set[str]:
    """Run ghcrctl in a process of its own; return the modules that it imported."""
    environ = {**os.environ, "GHCRCTL_STORE": str(folder / "store"), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    status, imported = json.loads(ended.stderr.splitlines()[-1])
    assert status == 0, ended.stderr
    return set(imported)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["images"], ["images", "-q"]])
def test_a_quick_command_imports_nothing_slow(tmp_path: Path, arguments: list[str]) -> None:
    assert not run(tmp_path, *arguments) & SLOW


def test_tagging_imports_nothing_slow(tmp_path: Path) -> None:
    make_empty_tar(tmp_path / "tree.tar")
    run(tmp_path, *IMPORT_AND_TAG[0])
    assert not run(tmp_path, *IMPORT_AND_TAG[1]) & SLOW
    assert not run(tmp_path, "images", "--digests") & SLOW


def test_the_version_needs_no_room_but_the_cli(tmp_path: Path) -> None:
    imported = run(tmp_path, "--version")
    top_folders = {name.split(".")[1] for name in imported if name.startswith("ghcrctl.")}
    assert top_folders <= {"cli", "errors"}
    assert not {name for name in imported if name.startswith("ghcrctl.cli.commands.")}


def make_empty_tar(path: Path) -> None:
    """Write a tar archive without members: two blocks of zeros."""
    path.write_bytes(bytes(1024))
