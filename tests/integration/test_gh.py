"""ghcrctl as a command of gh, and gh's tokens as ghcrctl finds them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ghcrctl.credentials.sources import GitHubCli
from tests.integration.peers import require_peer

EXTENSION = Path(__file__).parents[2] / "gh-ghcrctl"
HOSTS = """
github.com:
    user: octo
    oauth_token: ghp_octo
git.example:
    user: octo
    oauth_token: ghp_server
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home where gh is signed in to two hosts, and ghcrctl on the PATH."""
    (tmp_path / ".config" / "gh").mkdir(parents=True)
    (tmp_path / ".config" / "gh" / "hosts.yml").write_text(HOSTS)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "ghcrctl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ghcrctl "$@"\n')
    program.chmod(0o755)
    folders = [str(programs), str(Path(require_peer("gh")).parent), os.environ["PATH"]]
    return {"HOME": str(tmp_path), "PATH": os.pathsep.join(folders), "GHCRCTL_KEYRING": "0"}


def gh(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_peer("gh"), *arguments],
        env=environ,
        cwd=Path(environ["HOME"]) / "gh-ghcrctl",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def installed(environ: dict[str, str]) -> dict[str, str]:
    shutil.copytree(EXTENSION, Path(environ["HOME"]) / "gh-ghcrctl")
    done = gh(environ, "extension", "install", ".")
    assert done.returncode == 0, done.stderr
    return environ


def test_it_is_a_command_of_gh(installed: dict[str, str]) -> None:
    done = gh(installed, "ghcrctl", "packages", "--help")
    assert done.returncode == 0
    assert "prune" in done.stdout


def test_arguments_and_status_pass_as_they_are(installed: dict[str, str]) -> None:
    done = gh(installed, "ghcrctl", "packages", "list", "--filter", "a b=$HOME")
    assert done.returncode == 2
    assert "a b=$HOME" in done.stderr


def test_where_ghcrctl_is_missing_it_says_how_to_get_it(installed: dict[str, str]) -> None:
    done = gh({**installed, "PATH": "/usr/bin:/bin"}, "ghcrctl", "--version")
    assert done.returncode == 127
    assert done.stderr.startswith("error: ghcrctl is not installed\nhint: ")


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("ghcr.io", "ghp_octo"),
        ("containers.git.example", "ghp_server"),
        ("containers.other.example", None),
    ],
)
def test_the_token_of_gh_is_that_of_the_host(
    environ: dict[str, str], registry: str, expected: str | None
) -> None:
    # gh itself would print this one for any host but github.com.
    found = GitHubCli({**environ, "GH_ENTERPRISE_TOKEN": "ghp_other"}).get(registry, "")
    assert (found.secret if found else None) == expected
