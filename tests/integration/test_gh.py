"""ghcrctl as an extension of gh, and tokens of gh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ghcrctl.credentials.sources import GitHubCli
from tests.hostile_checkout import write_hostile_checkout
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
    """A home where gh is logged in to two hosts, with ghcrctl on the PATH."""
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


def test_extension_runs_as_a_gh_command(installed: dict[str, str]) -> None:
    done = gh(installed, "ghcrctl", "packages", "--help")
    assert done.returncode == 0
    assert "prune" in done.stdout


def test_arguments_and_status_are_passed_through(installed: dict[str, str]) -> None:
    done = gh(installed, "ghcrctl", "packages", "list", "--filter", "a b=$HOME")
    assert done.returncode == 2
    assert "a b=$HOME" in done.stderr


def test_missing_ghcrctl_error_has_an_install_hint(installed: dict[str, str]) -> None:
    done = gh({**installed, "PATH": "/usr/bin:/bin"}, "ghcrctl", "--version")
    assert done.returncode == 127
    assert done.stderr.startswith("error: ghcrctl is not installed\nhint: ")


def _shim(
    environ: dict[str, str], folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXTENSION / "gh-ghcrctl", *arguments],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in a malicious checkout; its Python has ghcrctl."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    variables = write_hostile_checkout(folder, tmp_path / "trapped")
    for name in ("ghcrctl", "python3"):
        (folder / name).write_text(f"#!/bin/sh\n: >{tmp_path / 'trapped'}\n")
        (folder / name).chmod(0o755)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python3").chmod(0o755)
    # Empty and relative entries mean the current directory.
    return {**variables, "HOME": str(tmp_path), "PATH": f":.:{programs}:/usr/bin:/bin:"}


def test_current_directory_is_neither_run_nor_imported(
    hostile: dict[str, str], tmp_path: Path
) -> None:
    done = _shim(hostile, tmp_path / "checkout", "images", "--format", "{{.ID}} $HOME")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "trapped").exists()


def test_program_on_the_path_does_not_import_the_current_directory(
    hostile: dict[str, str], tmp_path: Path
) -> None:
    program = tmp_path / "programs" / "ghcrctl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ghcrctl "$@"\n')
    program.chmod(0o755)
    if sys.version_info < (3, 11):
        pytest.skip("before Python 3.11, nothing can keep `python -m` from importing from there")
    done = _shim(hostile, tmp_path / "checkout", "version", "--format", "{{.Version}}")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "trapped").exists()


def test_user_installation_is_found(hostile: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "programs" / "python3").unlink()
    script = "import site; print(site.getusersitepackages())"
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("there is no Python of the system")
    found = subprocess.run(
        [python, "-I", "-c", script], env=hostile, capture_output=True, text=True, check=True
    )
    package = Path(found.stdout.strip()) / "ghcrctl" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text("import sys\ndef main(): print(sys.argv[1:])\n")
    done = _shim(hostile, tmp_path / "checkout", "a b", "--c")
    assert (done.stdout, done.stderr) == ("['a b', '--c']\n", "")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("ghcr.io", "ghp_octo"),
        ("containers.git.example", "ghp_server"),
        ("containers.other.example", None),
    ],
)
def test_gh_token_of_the_host_is_used(
    environ: dict[str, str], registry: str, expected: str | None
) -> None:
    # gh itself would print this one for any host but github.com.
    found = GitHubCli({**environ, "GH_ENTERPRISE_TOKEN": "ghp_other"}).get(registry, "")
    assert (found.secret if found else None) == expected
