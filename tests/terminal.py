"""A shell on its own terminal, with typed input."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

_CONTROL = re.compile(r"\x1b(\[[0-9;?>=]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()=>][0-9A-B]?)")
_PATIENCE = 30.0


class Terminal:
    """A shell on a pseudo-terminal of 80 columns."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command,
            env={**environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 no thread of ours holds a lock
        )
        os.close(slave)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def run(self, line: str) -> str:
        """Run a line; return the output until it has ended."""
        self.type(f"{line}; echo do''ne\r")
        return self.wait_for("done\r\n")

    def wait_for(self, text: str) -> str:
        """Wait for some output; return it with everything before it."""
        until = time.monotonic() + _PATIENCE
        while text not in self._seen:
            left = until - time.monotonic()
            assert left > 0, f"{text!r} did not appear: {self._seen!r}"
            if select.select([self._master], [], [], left)[0]:
                part = os.read(self._master, 65536).decode(errors="replace")
                self._seen = _CONTROL.sub("", self._seen + part)
        seen, _, self._seen = self._seen.partition(text)
        return seen + text

    def rest(self, seconds: float) -> str:
        """Return the output until it has been quiet for some time."""
        while select.select([self._master], [], [], seconds)[0]:
            part = os.read(self._master, 65536).decode(errors="replace")
            self._seen = _CONTROL.sub("", self._seen + part)
        seen, self._seen = self._seen, ""
        return seen
