"""``--timeout``, with system timers and without them, as on Windows."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.registry_double import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

_WITHOUT_TIMERS = """
import signal, sys
del signal.setitimer
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""
# The main thread waits for a lock that signals of other threads do not interrupt.
_DEAF = """
import signal, sys, threading
del signal.setitimer
from ghcrctl.cli import signals
from ghcrctl.cli.app import App
signals._GRACE = 0.3
signals.limit_time(0.3, App().report)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
threading.Event().wait()
"""
# Prints the remaining limit while Python shuts down, when a timer would kill the process.
_LEFT = """
import atexit, signal, sys
from ghcrctl.cli.main import main
atexit.register(lambda: print(signal.getitimer(signal.ITIMER_REAL)))
main(sys.argv[1:])
"""


def _python(shell: Shell, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_gives_up_in_time(shell: Shell, plain_registry: PlainRegistry) -> None:
    plain_registry.push_image("octo/image", "1.0", random_image())
    plain_registry.faults.append(Fault(path_contains="/blobs/", delay=6, times=9))
    name = f"{plain_registry.host}/octo/image:1.0"
    began = time.monotonic()
    done = _python(shell, _WITHOUT_TIMERS, "pull", "--timeout", "1.5", name)
    assert time.monotonic() - began < 5.5
    assert done.returncode == 3
    assert done.stderr.startswith("error: the command took longer than 1.5 s\nhint: ")
    assert "Traceback" not in done.stderr
    assert shell.ok("images", "--quiet") == []


def test_a_command_within_the_limit_succeeds(shell: Shell, plain_registry: PlainRegistry) -> None:
    plain_registry.push_image("octo/image", "1.0", random_image())
    name = f"{plain_registry.host}/octo/image:1.0"
    assert _python(shell, _WITHOUT_TIMERS, "pull", "--timeout", "60", name).returncode == 0


@pytest.mark.needs("timers")
def test_a_limit_ends_with_its_command(shell: Shell, plain_registry: PlainRegistry) -> None:
    plain_registry.push_image("octo/image", "1.0", random_image())
    for tag, status in (("1.0", 0), ("none", 4)):
        name = f"{plain_registry.host}/octo/image:{tag}"
        done = _python(shell, _LEFT, "digest", "--timeout", "60", name)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (status, "(0.0, 0.0)")


def test_ends_a_main_thread_that_hears_nothing(shell: Shell) -> None:
    done = _python(shell, _DEAF)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        3,
        "error: the command took longer than 0.3 s",
    )
