"""Ctrl-C in a program that uses the API."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.architecture.sources import ROOT
from tests.builders import random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from ghcrctl import Client
    from tests.registry_double import PlainRegistry

IMAGE = random_image(2, 300_000)
# Prints the number of images after the interruption, within the same block.
PROGRAM = """
import sys
from ghcrctl import Client
with Client() as client:
    try:
        client.pull(sys.argv[1])
    except KeyboardInterrupt:
        print("interrupted", len(client.images()), flush=True)
"""


def test_an_interrupted_call_leaves_nothing_and_the_next_resumes(
    environ: dict[str, str], client: Client, plain_registry: PlainRegistry, repository: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    stalled = Fault("GET", "/blobs/", times=9, stall_after=100_000, delay=3)
    plain_registry.faults.append(stalled)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, f"{repository}:1.0"],
        env={**environ, "PYTHONPATH": str(ROOT), "GHCRCTL_STALL_TIMEOUT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not stalled.befell:
        time.sleep(0.05)
    time.sleep(0.5)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=30)
    assert (program.returncode, out, err) == (0, "interrupted 0\n", "")
    plain_registry.faults.clear()
    assert client.pull(f"{repository}:1.0").updated
    assert not client.fsck().faults
