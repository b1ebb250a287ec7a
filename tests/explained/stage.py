"""The stage: a user's machine with an emulated internet.

It runs command lines as in the documentation and masks values that differ between runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.builders import random_image
from tests.integration.peers import require_peer
from tests.internet import Internet
from tests.packages_double.double import GitHubDouble

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

HELLO = random_image(2, 3000, seed=61)
_RUN = """#!{python}
import json, sys
from ghcrctl.errors import GhcrctlError
make = GhcrctlError.__init__
def noting(self, message, **given):
    with open({notes!r}, "a") as file:
        print(json.dumps([self.code, message]), file=file)
    make(self, message, **given)
GhcrctlError.__init__ = noting
{prelude}
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""
_PEOPLES_HOME = "~"
# Values that differ between runs, and their replacements.
_MASKS = (
    (re.compile(r"\d+ (seconds|minutes|hours|days|weeks|months|years) ago"), "3 weeks ago"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


class Stage:
    """The machine of the user ``octo``, with a home directory in the test's folder.

    Attributes:
        github: ghcr.io and GitHub's API.
        home: the home directory.
        environ: the environment of each command.
        prelude: Python code that runs before the program, to break it on purpose.
        has_powers: whether root keeps the permission to write everywhere.
        masks: additional replacements.
        noted: the code and message of each error created by the last command.
    """

    def __init__(self, folder: Path) -> None:
        self.github = GitHubDouble()
        self.home = folder / "home"
        self.prelude = ""
        self.has_powers = True
        self.masks: list[tuple[str, str]] = []
        self._bin = folder / "bin"
        self._notes = folder / "notes"
        self._authority = folder / "authority.pem"
        self._stack = ExitStack()
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GHCRCTL_CA_FILE": str(self._authority),
            # One at a time, for a constant order of lines.
            "GHCRCTL_JOBS": "1",
            "GHCRCTL_KEYRING": "0",
            "GHCRCTL_PLATFORM": "linux/amd64",
            "GHCRCTL_RETRIES": "0",
            "NO_PROXY": "localhost",
            "SOURCE_DATE_EPOCH": "1700000000",
            "COLUMNS": "80",
        }

    def __enter__(self) -> Self:
        github = self.github
        self._stack.enter_context(github)
        github.accounts["octo"] = "ghp_octo"
        hosts = github.take_names()
        hosts["files.example.com"] = hosts["example.com"] = hosts["ghcr.io"]
        internet = self._stack.enter_context(Internet(hosts))
        internet.write_authority(self._authority)
        self.environ["HTTPS_PROXY"] = internet.url
        self.home.mkdir()
        self._bin.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def store(self) -> Path:
        return self.home / ".local" / "share" / "ghcrctl" / "store"

    def add_program(self, name: str, script: str) -> None:
        """Add a shell script at the start of the PATH."""
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def sign_in(self) -> None:
        self.environ["GHCRCTL_TOKEN"] = "ghp_octo"

    def publish(self, repository: str = "octo/hello", tag: str = "1.0") -> None:
        """Publish a public image at ghcr.io."""
        self.github.push(repository, tag, HELLO)
        self.github.public.add(repository)

    @property
    def noted(self) -> list[tuple[str, str]]:
        notes = map(json.loads, self._notes.read_text().splitlines())
        return [(code, self._masked(said)) for code, said in notes]

    def quietly(self, *lines: str) -> None:
        """Run a command that must succeed, outside the example."""
        for line in lines:
            done = self._start(line)
            said = done.communicate(timeout=60)[0]
            assert done.returncode == 0, said

    def play(self, line: str) -> str:
        """Run a command line and return the line, the output and the status."""
        process = self._start(line)
        return self._shown(line, process, process.communicate(timeout=60)[0])

    def interrupt(self, line: str, number: signal.Signals, when: Callable[[], bool]) -> str:
        """Run a command line and send it a signal during a transfer."""
        process = self._start(f"exec {line}")
        while not when():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        process.send_signal(number)
        return self._shown(line, process, process.communicate(timeout=60)[0])

    def _start(self, line: str) -> subprocess.Popen[str]:
        program = self._bin / "ghcrctl"
        program.write_text(
            _RUN.format(python=sys.executable, notes=str(self._notes), prelude=self.prelude)
        )
        self._notes.write_text("")
        program.chmod(0o755)
        # For a pipeline, the status of the program is documented.
        return subprocess.Popen(
            [require_peer("bash"), "-c", f"{line}\nexit ${{PIPESTATUS[0]}}"],
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=None if self.has_powers else _without_powers,  # noqa: PLW1509 no thread of ours holds a lock
        )

    def _shown(self, line: str, process: subprocess.Popen[str], said: str) -> str:
        assert "Traceback" not in said, said
        return self._masked(f"$ {line}\n{said.lstrip()}(status {process.returncode})")

    def _masked(self, text: str) -> str:
        text = text.replace(str(self.home), _PEOPLES_HOME)
        for old, new in self.masks:
            text = text.replace(old, new)
        for pattern, new in _MASKS:
            text = pattern.sub(new, text)
        return text


def _without_powers() -> None:
    """Drop the two capabilities that bypass permissions (capabilities(7), prctl(2))."""
    for power in (1, 2):
        ctypes.CDLL(None).prctl(24, power, 0, 0, 0)
