"""A lock file for Debian's docker-registry, whose tags another program moves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from tests.builders import index_of, random_image
from tests.integration.docker_registry import docker_registry
from tests.integration.peers import run_peer
from tests.registry_double.fixtures import plain_registry
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry
    from tests.registry_double import PlainRegistry

__all__ = ["docker_registry", "plain_registry"]
pytestmark = pytest.mark.integration

ARM64 = random_image(seed=2, platform=Platform("linux", "arm64"))
INDEX = index_of(random_image(seed=1), ARM64)
OTHER = index_of(random_image(seed=3), ARM64)


def test_lock_follows_a_tag_that_moves_and_is_deleted(
    tmp_path: Path, plain_registry: PlainRegistry, docker_registry: DockerRegistry
) -> None:
    shell = Shell(tmp_path / "home")
    for tag, image in (("1", INDEX), ("2", OTHER)):
        plain_registry.push_image("octo/image", tag, image)
    name = f"{docker_registry.host}/octo/app:1"

    def move(tag: str) -> None:
        source = f"docker://{plain_registry.host}/octo/image:{tag}"
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
        run_peer("skopeo", "copy", "-q", "--all", *plain, source, f"docker://{name}")

    move("1")
    shell.ok("lock", "add", name)
    assert shell.ok("lock", "check") == [f"{name}: current"]
    move("2")
    assert str(OTHER.root.digest) in shell.fails(9, "lock", "check")
    shell.ok("lock", "pull")
    found = shell.ok("images", "--digests", "--format", "{{.Tag}} {{.Digest}}")
    assert found == [f"1 {INDEX.root.digest}"]
    run_peer("skopeo", "delete", "--tls-verify=false", f"docker://{name}")
    assert "was deleted" in shell.fails(9, "lock", "check")
    repository = name.rpartition(":")[0]
    run_peer("skopeo", "delete", "--tls-verify=false", f"docker://{repository}@{INDEX.root.digest}")
    [reported] = json.loads(shell.run("lock", "check", "--format", "json").stdout)
    assert (reported["Status"], reported["Now"], reported["Error"]) == (
        "gone",
        None,
        "manifest-unknown",
    )
    assert "lock remove" in shell.fails(4, "lock", "check")
    # Local images are still usable.
    assert shell.ok("lock", "pull", "-q") == [name]
    assert shell.ok("lock", "check", "--offline", "--local") == [f"{name}: present"]
