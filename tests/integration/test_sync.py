"""Sync into a registry that deletes by digest only, checked with skopeo."""

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

IMAGES = [
    random_image(seed=n, platform=Platform("linux", a)) for n, a in enumerate(("amd64", "arm64"))
]
INDEX = index_of(*IMAGES)
TAGS = {"1.0": IMAGES[0], "1.1": INDEX, "2.0-rc1": IMAGES[1], "latest": INDEX}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path / "home")
    # docker-registry rewrites the link of a manifest that another image has pushed. An index pushed
    # at that time does not find its child, so retry.
    shell.environ["GHCRCTL_RETRIES"] = "2"
    return shell


@pytest.fixture
def source(plain_registry: PlainRegistry) -> str:
    for tag, image in TAGS.items():
        plain_registry.push_image("octo/image", tag, image)
    return f"{plain_registry.host}/octo/image"


@pytest.fixture
def target(docker_registry: DockerRegistry) -> str:
    return f"{docker_registry.host}/octo/copy"


def digests(name: str) -> dict[str, str]:
    """Return the tags of a repository that skopeo lists."""
    plain = "--tls-verify=false"
    listed = json.loads(run_peer("skopeo", "list-tags", plain, f"docker://{name}"))["Tags"]
    return {
        tag: run_peer(
            "skopeo", "inspect", plain, "--format", "{{.Digest}}", f"docker://{name}:{tag}"
        ).strip()
        for tag in listed
    }


def test_sync_copies_tags_and_then_is_up_to_date(shell: Shell, source: str, target: str) -> None:
    lines = shell.ok("sync", "--exclude", "*-rc*", source, target)
    assert lines[-1].startswith("3 copied")
    assert digests(target) == {
        tag: str(image.root.digest) for tag, image in TAGS.items() if "rc" not in tag
    }
    again = shell.ok("sync", "--exclude", "*-rc*", "--format", "json", source, target)
    assert {row["Status"] for row in json.loads("".join(again))} == {"up to date"}


def test_dry_run_changes_nothing(shell: Shell, source: str, target: str) -> None:
    lines = shell.ok("sync", "--dry-run", source, target)
    assert lines[-1].startswith("4 would be copied")
    assert "repository not found" in shell.fails(4, "tags", target)


def test_manifests_in_use_are_not_deleted(shell: Shell, source: str, target: str) -> None:
    shell.ok("sync", source, target)
    # One manifest is in an index that is kept, the other is not.
    shell.ok("copy", "-q", f"{source}:1.0", f"{target}:child")
    shell.ok("copy", "-q", f"{source}:1.1", f"{target}:index")
    shell.ok("mutate", "-c", "LABEL own=1", "-t", f"{target}:own", f"{source}:1.0")
    output = shell.fails(7, "sync", "--delete", "--keep-going", source, target)
    assert f"cannot delete {target}:child: " in output
    assert f"cannot delete {target}:index: " in output
    left = digests(target)
    assert set(left) == {*TAGS, "child", "index"}
    assert left["1.1"] == str(INDEX.root.digest)
    shell.ok("pull", "-q", "--all-platforms", f"{target}:1.1")


def test_all_tags_of_an_extra_image_are_deleted(shell: Shell, source: str, target: str) -> None:
    shell.ok("sync", source, target)
    shell.ok("mutate", "-c", "LABEL own=1", "-t", f"{target}:old", f"{source}:1.0")
    shell.ok("copy", "-q", f"{target}:old", f"{target}:older")
    lines = shell.ok("sync", "--delete", source, target)
    assert lines[-1] == "0 copied (0B), 4 up to date, 2 deleted"
    assert digests(target) == {tag: str(image.root.digest) for tag, image in TAGS.items()}


def test_failure_stops_sync_unless_it_may_continue(
    shell: Shell, source: str, target: str, tmp_path: Path
) -> None:
    rules = tmp_path / "sync.yaml"
    rules.write_text(
        f"sync: [{{from: '{source}-none', to: '{target}'}}, {{from: '{source}', to: '{target}'}}]"
    )
    shell.fails(4, "sync", "--file", str(rules))
    assert "repository not found" in shell.fails(4, "tags", target)
    done = shell.run("sync", "--file", str(rules), "--keep-going")
    assert done.returncode == 4
    assert done.stdout.splitlines()[-1].startswith("4 copied")
    assert "1 failed" in done.stdout
    assert set(digests(target)) == set(TAGS)
