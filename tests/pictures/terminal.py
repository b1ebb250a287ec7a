"""Run ghcrctl on a pseudo terminal, with a fixed clock and the double of GitHub."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import struct
import subprocess
import sys
import termios
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pictures.content import NOW, fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.packages_double import GitHubDouble

ROOT = Path(__file__).parents[2]
# A command that prints nothing for this long hangs.
_PATIENCE = 60
# The end of a screen.
DRAWN = b"\x1b[J"
# Runs ghcrctl at a given time, with another host for ghcr.io.
PROGRAM = """
import datetime, sys
moment, host = float(sys.argv.pop(1)), sys.argv.pop(1)
class Still(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(moment, tz)
datetime.datetime = Still
from ghcrctl.registry import authenticated_client
authenticated_client.host_of = lambda registry: host if registry == "ghcr.io" else registry
from ghcrctl.cli.main import main
main()
"""


class Terminal:
    """A home directory in which ghcrctl runs on terminals."""

    def __init__(self, folder: Path, github: GitHubDouble) -> None:
        self.folder = folder
        folder.mkdir()
        self._host = github.host
        self.environ = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "GHCRCTL_STORE": str(folder / "images"),
            "GHCRCTL_CONFIG_DIR": str(folder / "config"),
            "GHCRCTL_CACHE_DIR": str(folder / "cache"),
            "GHCRCTL_KEYRING": "0",
            # Progress differs in every run.
            "GHCRCTL_PROGRESS": "none",
            "SOURCE_DATE_EPOCH": f"{(NOW - timedelta(hours=3)).timestamp():.0f}",
            "GHCRCTL_PLATFORM": "linux/amd64",
            "GHCRCTL_USERNAME": "octo",
            "GHCRCTL_TOKEN": "ghp_octo",
            "GHCRCTL_REGISTRY": "ghcr.io",
            "GHCRCTL_GITHUB_API": github.api_url,
            "GHCRCTL_GITHUB_WEB": "https://github.com",
            "GHCRCTL_GITHUB_RATE": "0",
        }

    def run(self, line: str, width: int, keys: Sequence[str] = (), height: int = 50) -> str:
        """Run a command line of ghcrctl; return its output.

        Args:
            line: the command line.
            width: the width of the terminal (cells).
            keys: the keys to press, each after the screen was drawn.
            height: the height of the terminal.
        """
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        arguments = [str(NOW.timestamp()), self._host, *shlex.split(line)[1:]]
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=follower,
            stdout=follower,
            stderr=follower,
        ) as process:
            os.close(follower)
            got = bytearray()
            for number, key in enumerate(keys, 1):
                while got.count(DRAWN) < number and _read(leader, got):
                    pass
                os.write(leader, key.encode())
            while _read(leader, got):
                pass
        os.close(leader)
        encoding = self.environ.get("PYTHONIOENCODING", "utf-8")
        shown = got.decode(encoding).replace("\r\n", "\n")
        if process.returncode:
            raise RuntimeError(f"`{line}` left with status {process.returncode}:\n{shown}")
        return shown


def _read(leader: int, got: bytearray) -> bool:
    if not select.select([leader], [], [], _PATIENCE)[0]:
        raise TimeoutError(f"nothing was written for {_PATIENCE} s, after:\n{got[-2000:]!r}")
    try:
        part = os.read(leader, 65536)
    except OSError:
        # Linux reports the end of a terminal as an error.
        return False
    got += part
    return bool(part)


def screen_of(shown: str) -> str:
    """Return the last complete screen in the output of a program."""
    frame = shown.rpartition("\x1b[H")[2].partition(DRAWN.decode())[0]
    return frame.replace("\x1b[K", "")


def prepared(folder: Path, github: GitHubDouble) -> Terminal:
    """Fill the double of GitHub and a store; return a terminal for both."""
    fill(github)
    terminal = Terminal(folder, github)
    for name in ("octo/app:1.3", "octo/app:1.2"):
        terminal.run(f"ghcrctl pull -q --all-platforms {name}", 80)
    for name in ("octo/app:1.1", "octo/app:pr-57", "octo/python:3.13", "octo/tool:edge"):
        terminal.run(f"ghcrctl pull -q {name}", 80)
    digest = terminal.run("ghcrctl digest octo/app:1.0", 80).strip()
    terminal.run(f"ghcrctl pull -q octo/app@{digest}", 80)
    terminal.run("ghcrctl tag octo/app:1.3 octo/app:latest", 80)
    return terminal
