"""What drawing costs: one pull with bars, and with events, beside the same pull without.

``python -m tests.bench.bars [RUNS]`` pulls 600 MB from a registry on loopback, in turns, on a
terminal that only reads, and prints wall and CPU time, and how much that is of ``--quiet``.
"""

from __future__ import annotations

import os
import pty
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.builders import random_image
from tests.registry_double.double import PlainRegistry

_LAYERS, _LAYER = 12, 50_000_000
_WAYS = {"quiet": ["--quiet"], "bars": [], "events": ["--progress", "json"]}


def _read_all(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        # What Linux says at the end of a terminal.
        return


def _pull(name: str, folder: Path, options: list[str]) -> tuple[float, float]:
    """Pull into an empty store; return the seconds of wall and of CPU time."""
    shutil.rmtree(folder / "store", ignore_errors=True)
    environ = {k: v for k, v in os.environ.items() if k != "CI"}
    environ |= {"GHCRCTL_STORE": str(folder / "store"), "GHCRCTL_CONFIG_DIR": str(folder)}
    leader, follower = pty.openpty()
    reader = threading.Thread(target=_read_all, args=(leader,))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "ghcrctl", "pull", *options, name]
    with subprocess.Popen(
        command, env=environ, stdin=follower, stdout=follower, stderr=follower
    ) as run:
        os.close(follower)
        reader.start()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    reader.join()
    os.close(leader)
    if run.returncode:
        raise RuntimeError(f"the pull failed with status {run.returncode}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print a line for each way."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
    with tempfile.TemporaryDirectory() as folder, PlainRegistry() as registry:
        registry.push_image("octo/large", "1.0", random_image(_LAYERS, size=_LAYER))
        name = f"{registry.host}/octo/large:1.0"
        for _ in range(runs):
            for way, options in _WAYS.items():
                times[way].append(_pull(name, Path(folder), options))
    walls, cpus = ({w: statistics.median(t[i] for t in times[w]) for w in _WAYS} for i in (0, 1))
    for way in _WAYS:
        wall, cpu = walls[way] / walls["quiet"], cpus[way] / cpus["quiet"]
        print(f"{way}: wall {walls[way]:.2f} s ({wall:.2f}), CPU {cpus[way]:.2f} s ({cpu:.2f})")  # noqa: T201 its answer


if __name__ == "__main__":
    main()
