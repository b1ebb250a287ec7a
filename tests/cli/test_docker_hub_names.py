"""With Docker Hub as the default registry, names have the same meaning as in docker."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

import ghcrctl
from tests.builders import random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

IMAGE = random_image(seed=1)
NAME = "docker.io/library/alpine:latest"


@pytest.fixture
def shell(tmp_path: Path, plain_registry: PlainRegistry) -> Shell:
    """A machine that uses a mirror of Docker Hub."""
    plain_registry.push_image("library/alpine", "latest", IMAGE)
    made = Shell(tmp_path / "home")
    made.environ["GHCRCTL_DEFAULT_REGISTRY"] = "docker.io"
    made.environ["GHCRCTL_MIRRORS"] = f"docker.io={plain_registry.host}"
    return made


def names(shell: Shell) -> list[str]:
    return shell.ok("images", "--format", "{{.Repository}}:{{.Tag}}")


def test_every_command_finds_the_image_of_docker_hub(shell: Shell) -> None:
    assert shell.ok("digest", "alpine") == [str(IMAGE.root.digest)]
    assert shell.ok("pull", "-q", "alpine") == [NAME]
    assert names(shell) == [NAME]
    for line in ("inspect", "history", "images -q", "exists", "tags", "outdated", "lock add"):
        shell.ok(*line.split(), "alpine")
    assert '"docker.io/library/alpine"' in (shell.folder / "images.lock").read_text()
    shell.ok("lock", "check", "--local")
    shell.ok("tag", "alpine", "mine:1")
    assert names(shell) == [NAME, "docker.io/library/mine:1"]
    assert shell.ok("rmi", "mine:1") == ["Untagged: docker.io/library/mine:1"]
    assert shell.ok("copy", "-q", "alpine", "oci:out")
    client = ghcrctl.Client(environ=shell.environ)
    assert client.digest("alpine") == IMAGE.root.digest
    [found] = client.images("alpine")
    assert found.repository == "docker.io/library/alpine"


def test_names_in_files_and_archives_belong_to_docker_hub(
    shell: Shell, plain_registry: PlainRegistry
) -> None:
    jobs = f"sync: [{{from: alpine, to: {plain_registry.host}/copy}}]"
    (shell.folder / "sync.yaml").write_text(jobs)
    shell.ok("sync", "--file", "sync.yaml")
    elsewhere = Shell(shell.folder.parent / "elsewhere")
    elsewhere.ok("copy", "-q", f"{plain_registry.host}/library/alpine", "store:alpine:latest")
    assert names(elsewhere) == ["alpine:latest"]
    for kind in ("docker", "oci"):
        elsewhere.ok("save", "--format", kind, "-o", "alpine.tar", "alpine")
        archive = str(elsewhere.folder / "alpine.tar")
        assert shell.ok("load", "-q", "-i", archive) in ([NAME], [f"Loaded image: {NAME}"])
        assert names(shell) == [NAME]
        shell.ok("rmi", "alpine")
        shell.ok("copy", "-q", f"archive:{archive}:alpine", "store:")
        assert names(shell) == [NAME]
        elsewhere.ok("load", "-q", "-i", archive)
        assert "alpine:latest" in names(elsewhere)


def test_completion_omits_the_default_registry(shell: Shell) -> None:
    shell.ok("pull", "-q", "alpine")
    line = base64.b64encode(b"ghcrctl rmi al").decode()
    done = shell.run("__complete", "powershell", line)
    assert "alpine:latest" in done.stdout
    assert "library" not in done.stdout


def test_a_local_name_from_before_is_still_found(shell: Shell, archive: str) -> None:
    del shell.environ["GHCRCTL_DEFAULT_REGISTRY"]
    shell.ok("import", archive, "hello")
    shell.environ["GHCRCTL_DEFAULT_REGISTRY"] = "docker.io"
    shell.ok("inspect", "hello")
    shell.ok("rmi", "hello")
    assert names(shell) == []
