"""The store survives killed and concurrent commands.

``GHCRCTL_FIRE`` sets how many commands are killed. The default is a few.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.builders import index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

_RUNS = int(os.environ.get("GHCRCTL_FIRE", "18"))
_SEED = int(os.environ.get("GHCRCTL_FIRE_SEED", "1"))
KEPT = random_image(3, 200_000, seed=100)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def host(plain_registry: PlainRegistry) -> str:
    for number in range(6):
        image = random_image(3, 300_000, seed=number % 4)
        plain_registry.push_image(f"octo/{number % 2}", f"{number}", image)
    plain_registry.push_image("octo/both", "1", index_of(random_image(seed=7), KEPT))
    plain_registry.push_image("octo/kept", "1", KEPT)
    return plain_registry.host


def act(host: str, archive: str, chance: random.Random) -> list[str]:
    """Return a random command that does not affect the kept image."""
    number = chance.randrange(6)
    name = f"{host}/octo/{number % 2}:{number}"
    return chance.choice(
        [
            ["pull", "-q", name],
            ["pull", "-q", "--all-platforms", f"{host}/octo/both:1"],
            ["push", "-q", name],
            ["tag", name, f"local{chance.randrange(3)}"],
            ["tag", f"{host}/octo/kept:1", f"moved{chance.randrange(3)}"],
            ["rmi", name],
            ["rmi", f"local{chance.randrange(3)}"],
            ["rmi", f"moved{chance.randrange(3)}"],
            ["import", "-m", str(chance.random()), archive, f"local{chance.randrange(3)}"],
            ["prune", "--force"],
            ["prune", "--force", "--keep-last", "3"],
        ]
    )


def is_well(shell: Shell, host: str) -> None:
    """Check that all listed images are intact and the kept image exists."""
    checked = shell.run("fsck")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert shell.ok("inspect", "-f", "{{index .RepoDigests 0}}", f"{host}/octo/kept:1") == [
        f"{host}/octo/kept@{KEPT.root.digest}"
    ]
    json.loads((shell.folder / "store" / "index.json").read_text())


def test_killed_commands_leave_the_store_intact(shell: Shell, host: str, archive: str) -> None:
    chance = random.Random(_SEED)
    shell.ok("pull", "-q", f"{host}/octo/kept:1")
    for number in range(_RUNS):
        with subprocess.Popen(
            [sys.executable, "-m", "ghcrctl", *act(host, archive, chance)],
            env=shell.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # Python needs a tenth of a second to import. Kill the command after that.
            time.sleep(chance.uniform(0.05, 0.5))
            process.kill()
        if number % 6 == 5:
            is_well(shell, host)
    is_well(shell, host)


def test_commands_at_once_get_in_each_others_way_only_where_they_must(
    shell: Shell, host: str, archive: str
) -> None:
    chance = random.Random(_SEED)
    shell.ok("pull", "-q", f"{host}/octo/kept:1")
    acts = [act(host, archive, chance) for _ in range(2 * _RUNS)]
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda line: (line, shell.run(*line)), acts))
    for line, result in done:
        # Another command may have removed the name, or not pulled it yet.
        assert result.returncode in {0, 4}, (line, result.stderr)
        assert result.returncode == 0 or line[0] in {"push", "tag", "rmi"}, (line, result.stderr)
    is_well(shell, host)
