"""Runs ghcrctl like a user, with its own home directory."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.fork_server import can_fork, run_forked

if TYPE_CHECKING:
    from pathlib import Path


class Shell:
    """A home directory to run ghcrctl in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.environ = {
            "HOME": str(folder),
            "USERPROFILE": str(folder),
            "PATH": os.environ["PATH"],
            "GHCRCTL_KEYRING": "0",
            "GHCRCTL_STORE": str(folder / "store"),
            "GHCRCTL_CONFIG_DIR": str(folder / "config"),
            "GHCRCTL_PLATFORM": "linux/amd64",
            "GHCRCTL_RETRIES": "0",
            "SOURCE_DATE_EPOCH": "1700000000",
            "COLUMNS": "80",
            # Windows cannot start programs without it.
            **{name: value for name, value in os.environ.items() if name == "SYSTEMROOT"},
        }

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        if can_fork(self.environ):
            done = run_forked(arguments, environ=self.environ, cwd=self.folder, stdin=stdin)
            if done:
                return done
        return subprocess.run(
            [sys.executable, "-m", "ghcrctl", *arguments],
            env=self.environ,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ok(self, *arguments: str, stdin: str = "") -> list[str]:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def fails(self, status: int, *arguments: str, stdin: str = "") -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == status, done.stderr
        assert done.stderr.startswith(("error: ", "warning: "))
        assert "Traceback" not in done.stderr
        return done.stderr
