"""Run the blocks of a page in order, in bash with an empty home directory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.docs.blocks import Block

_PAGE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of running a page.

    Args:
        outputs: the output of each block that ran, of both streams.
        status: exit status of the shell; 0 if no block failed.
    """

    outputs: Sequence[str]
    status: int


def run(blocks: Sequence[Block], folder: Path, environ: Mapping[str, str]) -> Ran:
    """Run blocks in one shell, in a directory of the home, until one fails."""
    home = folder / "home"
    work = home / "work"
    work.mkdir(parents=True)
    script = folder / "page.sh"
    script.write_text(_script(blocks, folder), encoding="utf-8")
    process = subprocess.Popen(
        [require_peer("bash"), str(script)],
        cwd=work,
        env={**_environ(home), **environ},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(_PAGE_SECONDS)
    except subprocess.TimeoutExpired:
        status = -signal.SIGALRM
    finally:
        # A page may have started a server.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    files = [folder / f"{number}.out" for number in range(len(blocks))]
    outputs = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    return Ran([output.replace(str(home), "~") for output in outputs], status)


def _script(blocks: Sequence[Block], folder: Path) -> str:
    parts = ["set -euo pipefail\n"]
    for number, block in enumerate(blocks):
        parts.append(f'exec >"{folder}/{number}.out" 2>&1\n{block.text}')
    return "".join(parts)


def _environ(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "120",
        # Tests must not touch the keyring of the user.
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_PLATFORM": "linux/amd64",
    }
