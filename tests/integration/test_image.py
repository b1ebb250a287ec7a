"""The image of ghcrctl, built by ghcrctl and run by docker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl import __version__
from tests.builders import random_image
from tests.integration.engines import docker
from tests.integration.peers import do_without, require_peer
from tests.registry_double.fixtures import ghcr, plain_registry
from tests.shell import Shell

if TYPE_CHECKING:
    from tests.integration.engines import Docker
    from tests.registry_double import PlainRegistry, RegistryDouble

__all__ = ["docker", "ghcr", "plain_registry"]
# The fixture installs packages, which takes minutes on a slow machine.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]
_ROOT = Path(__file__).parents[2]
_NAME = "localhost/ghcrctl:test"


def _shell(folder: Path) -> Shell:
    shell = Shell(folder)
    shell.environ |= {name: text for name, text in os.environ.items() if name.startswith("UV_")}
    return shell


def _make(shell: Shell, *options: str) -> str:
    """Build the image like ``make image``; return its digest."""
    done = subprocess.run(
        [sys.executable, "-m", "release.image", *options],
        cwd=_ROOT,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    if done.returncode:
        for missing in ("Unable to fetch", "Could not resolve", "error sending request"):
            if missing in done.stderr:
                do_without(f"a network is missing, or Debian's packages: {done.stderr[-300:]}")
        pytest.fail(done.stderr)
    return done.stdout.split()[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A store with the image."""
    require_peer("apt-get")
    shell = _shell(tmp_path_factory.mktemp("image"))
    _make(shell, "--tag", _NAME)
    return shell


@pytest.fixture(scope="module")
def loaded(made: Shell, docker: Docker) -> Docker:
    """An engine with the image."""
    made.environ["DOCKER_HOST"] = docker.environ["DOCKER_HOST"]
    made.ok("copy", f"store:{_NAME}", f"docker-daemon:{_NAME}")
    return docker


def _inspected(shell: Shell) -> dict[str, object]:
    (image,) = json.loads("\n".join(shell.ok("inspect", _NAME)))
    found: dict[str, object] = image
    return found


def test_size_and_labels(made: Shell) -> None:
    image = _inspected(made)
    assert isinstance(image["Size"], int)
    assert image["Size"] < 32_000_000
    config = image["Config"]
    assert isinstance(config, dict)
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/local/bin/ghcrctl"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert made.ok("images", "-q") == [str(image["Id"]).removeprefix("sha256:")[:12]]


def test_build_is_reproducible(made: Shell, tmp_path: Path) -> None:
    again = _shell(tmp_path / "again")
    _make(again, "--tag", _NAME)
    assert _inspected(again)["Id"] == _inspected(made)["Id"]


def test_image_has_no_local_paths(made: Shell) -> None:
    listed = "\n".join(made.ok("ls", "--recursive", _NAME, "/opt/ghcrctl"))
    assert "ghcrctl-" in listed
    assert "direct_url.json" not in listed
    assert not [line for line in listed.splitlines() if line.startswith("keyring")]


def test_runs_as_non_root(loaded: Docker) -> None:
    run = ("run", "--rm", "--network", "none")
    assert loaded.run(*run, _NAME, "--version").strip() == f"ghcrctl {__version__}"
    assert loaded.run(*run, "--entrypoint", "id", _NAME).startswith("uid=65532(ghcrctl) gid=65532")
    assert "REPOSITORY" in loaded.run(
        *run, "--read-only", "--tmpfs", "/home/ghcrctl", _NAME, "images"
    )
    assert "REPOSITORY" in loaded.run(*run, "--user", "1234:1234", _NAME, "images")


def test_login_and_pull(loaded: Docker, ghcr: RegistryDouble) -> None:
    image = random_image()
    ghcr.push_image("octo/image", "1.0", image)
    name = f"{ghcr.host}/octo/image:1.0"
    script = f"""
        printf ghp_octo | ghcrctl login --username octo --password-stdin {ghcr.host}
        ghcrctl pull --quiet {name}
        ghcrctl images --quiet --no-trunc
    """
    shell = ("--entrypoint", "sh", "--env", "GHCRCTL_PLATFORM=linux/amd64")
    printed = loaded.run("run", "--rm", "--network", "host", *shell, _NAME, "-ec", script)
    assert printed.splitlines()[:2] == ["Login Succeeded", name]
    assert len(printed.splitlines()) == 3


def test_uses_the_ca_certificates_of_debian(loaded: Docker) -> None:
    program = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    run = ("run", "--rm", "--network", "none", "--entrypoint", "python3")
    assert int(loaded.run(*run, _NAME, "-c", program)) > 100


def test_build_on_another_base(
    made: Shell, plain_registry: PlainRegistry, docker: Docker, tmp_path: Path
) -> None:
    base = f"{plain_registry.host}/octo/python:3.11"
    variable = f"ENV PYTHON_VERSION={_python_of(made)}"
    made.ok("mutate", "--local", "-c", variable, "-t", base, _NAME)
    made.ok("push", base)
    other = _shell(tmp_path / "other")
    _make(other, "--base", base, "--python", "/usr/bin/python3", "--tag", "localhost/other:1")
    other.environ["DOCKER_HOST"] = docker.environ["DOCKER_HOST"]
    other.ok("copy", "store:localhost/other:1", "docker-daemon:localhost/other:1")
    printed = docker.run("run", "--rm", "--network", "none", "localhost/other:1", "--version")
    assert printed.strip() == f"ghcrctl {__version__}"


def _python_of(shell: Shell) -> str:
    (name,) = [
        line.split("/")[-1] for line in shell.ok("ls", _NAME, "/usr/bin") if "python3." in line
    ]
    return f"{name.split()[0].removeprefix('python')}.0"
