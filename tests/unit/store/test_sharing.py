"""Two commands at once that need the same content fetch it only once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = random_image(3, 300_000, seed=41)
OTHER = random_image(5, 300_000, seed=41)
LAYERS = [d.digest.encoded for d, _ in OTHER.blobs[:-1]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def registry() -> Iterator[PlainRegistry]:
    with PlainRegistry() as made:
        made.push_image("octo/image", "1", IMAGE)
        made.push_image("octo/other", "1", OTHER)
        yield made


def start(shell: Shell, registry: PlainRegistry, name: str, jobs: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ghcrctl", "pull", "-q", f"{registry.host}/octo/{name}:1"],
        env={**shell.environ, "GHCRCTL_JOBS": str(jobs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def begin(shell: Shell, registry: PlainRegistry, fault: Fault, jobs: int) -> subprocess.Popen[str]:
    """Start a pull, and return once it waits for a layer."""
    registry.faults.append(fault)
    times, until = fault.times, time.monotonic() + 20
    process = start(shell, registry, "image", jobs)
    while fault.times == times:
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def end(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err


def fetched(registry: PlainRegistry) -> dict[str, int]:
    return {x: registry.count("GET", f"/blobs/sha256:{x}") for x in LAYERS}


@pytest.mark.parametrize("jobs", [1, 6])
def test_concurrent_pulls_fetch_each_layer_once(
    shell: Shell, registry: PlainRegistry, jobs: int
) -> None:
    first = begin(shell, registry, Fault("GET", "/blobs/", times=30, delay=0.5), jobs)
    second = start(shell, registry, "other", jobs)
    end(first)
    end(second)
    assert fetched(registry) == dict.fromkeys(LAYERS, 1)
    assert shell.ok("fsck")[-1].endswith("no problems found")
    assert list((shell.folder / "store" / "ghcrctl" / "partial").iterdir()) == []


def test_a_pull_resumes_a_killed_one(shell: Shell, registry: PlainRegistry) -> None:
    first = begin(shell, registry, Fault("GET", "/blobs/", times=3, delay=4), 6)
    second = start(shell, registry, "other", 6)
    time.sleep(1)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=10)
    end(second)
    assert shell.ok("fsck")[-1].endswith("no problems found")
