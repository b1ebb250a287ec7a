"""Copies between registries without the referrers API, skopeo directories, archives and docker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.registry.referrers import referrers_tag
from tests.builders import artifact, index_of, random_image
from tests.integration.docker_registry import (
    PASSWORD,
    USER,
    docker_registry,
    docker_registry_basic,
    docker_registry_client,
)
from tests.integration.engines import GREETING, context, docker
from tests.integration.peers import run_peer
from tests.registry_double.fixtures import plain_registry
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Built
    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Docker
    from tests.registry_double import PlainRegistry

__all__ = [
    "context",
    "docker",
    "docker_registry",
    "docker_registry_basic",
    "docker_registry_client",
    "plain_registry",
]
pytestmark = pytest.mark.integration

IMAGES = [
    random_image(2, seed=n, platform=Platform("linux", a)) for n, a in enumerate(("amd64", "arm64"))
]
INDEX = index_of(*IMAGES)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def start(plain_registry: PlainRegistry) -> str:
    """A name at a registry with the referrers API."""
    plain_registry.push_image("octo/image", "1.0", INDEX)
    return f"{plain_registry.host}/octo/image:1.0"


def raw(place: str) -> str:
    """Return a manifest that skopeo reads."""
    options = ["--tls-verify=false"] if place.startswith("docker://") else []
    return run_peer("skopeo", "inspect", "--raw", *options, place)


def digest_of(text: str) -> str:
    return str(Digest.of(text.encode()))


def listed(name: str, subject: Built) -> list[str]:
    """Return the digests in the referrers index of a subject."""
    repository = name.rpartition(":")[0]
    index = json.loads(raw(f"docker://{repository}:{referrers_tag(subject.root.digest)}"))
    return [entry["digest"] for entry in index["manifests"]]


def test_copy_referrers_to_a_registry_without_the_api_and_back(
    shell: Shell, start: str, plain_registry: PlainRegistry, docker_registry: DockerRegistry
) -> None:
    sbom = artifact("application/spdx+json", subject=INDEX.root, payload=b"sbom")
    signed = artifact("application/x-signature", subject=sbom.root, payload=b"signed")
    proof = artifact("application/x-proof", subject=IMAGES[1].root, payload=b"proof")
    for referrer in (sbom, signed, proof):
        plain_registry.push_image("octo/image", None, referrer)
    tag = f"{referrers_tag(IMAGES[0].root.digest)}.sig"
    plain_registry.push_image("octo/image", tag, artifact("", payload=b"cosign"))
    there = f"{docker_registry.host}/octo/image:1.0"
    lines = shell.ok("copy", "--referrers", start, there)
    assert lines[-3:] == ["Referrers: 4", f"Digest: {INDEX.root.digest}", there]
    assert listed(there, INDEX) == [str(sbom.root.digest)]
    assert listed(there, sbom) == [str(signed.root.digest)]
    assert listed(there, IMAGES[1]) == [str(proof.root.digest)]
    # Referrers of another source are added.
    more = artifact("application/spdx+json", subject=INDEX.root, payload=b"another sbom")
    plain_registry.push_image("octo/other", "1.0", INDEX)
    plain_registry.push_image("octo/other", None, more)
    shell.ok("copy", "--referrers", start.replace("octo/image", "octo/other"), there)
    assert listed(there, INDEX) == [str(sbom.root.digest), str(more.root.digest)]
    back = start.replace("octo/image", "octo/back")
    shell.ok("copy", "--referrers", there, back)
    both = [shell.ok("referrers", "--format", "json", name) for name in (there, back)]
    found = [sorted(line for line in lines if '"Digest"' in line) for lines in both]
    assert found[0] == found[1]
    assert len(found[0]) == 8


@pytest.mark.parametrize("image", [INDEX, IMAGES[0], artifact()])
def test_copy_to_and_from_skopeo_directories(
    shell: Shell,
    plain_registry: PlainRegistry,
    docker_registry: DockerRegistry,
    tmp_path: Path,
    image: Built,
) -> None:
    plain_registry.push_image("octo/image", "1.0", image)
    digest = str(image.root.digest)
    shell.ok("copy", f"{plain_registry.host}/octo/image:1.0", f"oci:{tmp_path}/ours")
    assert digest_of(raw(f"oci:{tmp_path}/ours:1.0")) == digest
    run_peer(
        "skopeo", "copy", "-q", "--all", f"oci:{tmp_path}/ours:1.0", f"oci:{tmp_path}/theirs:2"
    )
    there = f"{docker_registry.host}/octo/copy"
    assert shell.ok("copy", "-q", f"oci:{tmp_path}/theirs", there) == [f"{there}:2"]
    assert digest_of(raw(f"docker://{there}:2")) == digest


def test_copy_to_and_from_skopeo_archives(
    shell: Shell, start: str, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    shell.ok("copy", start, f"archive:{tmp_path}/ours.tar")
    assert digest_of(raw(f"oci-archive:{tmp_path}/ours.tar")) == str(INDEX.root.digest)
    options = ["--override-os", "linux", "--override-arch", "amd64"]
    for kind, name in (("oci-archive", "theirs:1"), ("docker-archive", "octo/theirs:1")):
        place = f"{kind}:{tmp_path}/{kind}.tar:{name}"
        run_peer("skopeo", *options, "copy", "-q", f"oci-archive:{tmp_path}/ours.tar", place)
        there = f"{docker_registry.host}/octo/{kind}:1"
        shell.ok("copy", f"archive:{tmp_path}/{kind}.tar", there)
        config = json.loads(raw(f"docker://{there}"))["config"]["digest"]
        assert config == json.loads(IMAGES[0].raw)["config"]["digest"]


def test_copy_to_and_from_docker(
    shell: Shell, docker: Docker, docker_registry: DockerRegistry, context: Path
) -> None:
    shell.environ["DOCKER_HOST"] = docker.environ["DOCKER_HOST"]
    docker.run("build", "-q", "--network", "none", "-t", "octo/copied:1", str(context))
    [before] = inspected(docker, "octo/copied:1")
    there = f"{docker_registry.host}/octo/copied"
    lines = shell.ok("copy", "docker-daemon:octo/copied:1", there)
    assert lines[0] == "docker.io/octo/copied:1: Copying from docker's engine"
    assert lines[-1] == f"{there}:1"
    docker.run("rmi", "-f", before["Id"])
    assert shell.ok("copy", "-q", f"{there}:1", "docker-daemon:octo/again") == [
        "docker-daemon:docker.io/octo/again:1"
    ]
    [after] = inspected(docker, "octo/again:1")
    assert after["Id"] == before["Id"]
    assert docker.run("run", "--rm", "--network", "none", "octo/again:1").strip() == GREETING
    assert shell.ok("copy", "-q", f"docker-daemon:{after['Id']}", f"{there}:by-id")
    assert raw(f"docker://{there}:by-id") == raw(f"docker://{there}:1")
    docker.run("rmi", "-f", before["Id"])
    error = shell.fails(4, "copy", "docker-daemon:octo/again:1", there)
    assert "has no image" in error


def inspected(docker: Docker, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(docker.run("inspect", name))
    return found


def test_copy_to_docker_takes_this_platform(shell: Shell, docker: Docker, start: str) -> None:
    shell.environ["DOCKER_HOST"] = docker.environ["DOCKER_HOST"]
    dry = shell.ok("copy", "--dry-run", start, "docker-daemon:octo/one:1")
    assert len(dry) == 4
    shell.ok("copy", start, "docker-daemon:octo/one:1")
    [found] = inspected(docker, "octo/one:1")
    assert found["Id"] == json.loads(IMAGES[0].raw)["config"]["digest"]
    docker.run("rmi", "-f", "octo/one:1")


def test_docker_rejects_an_artifact(
    shell: Shell, docker: Docker, plain_registry: PlainRegistry
) -> None:
    shell.environ["DOCKER_HOST"] = docker.environ["DOCKER_HOST"]
    plain_registry.push_image("octo/thing", "1", artifact())
    error = shell.fails(7, "copy", f"{plain_registry.host}/octo/thing:1", "docker-daemon:")
    assert "docker engine" in error


def test_source_and_target_have_their_own_ca_and_credentials(
    shell: Shell, start: str, docker_registry_basic: DockerRegistry
) -> None:
    shell.environ["SSL_CERT_FILE"] = "/dev/null"
    there = f"{docker_registry_basic.host}/octo/image:1.0"
    theirs = ["--dest-ca-file", str(docker_registry_basic.ca), "--dest-creds", USER]
    shell.environ["GHCRCTL_DEST_PASSWORD"] = PASSWORD
    assert "not trusted" in shell.fails(3, "copy", start, there, *theirs[2:])
    assert "login" in shell.fails(5, "copy", start, there, *theirs[:2])
    shell.ok("copy", start, there, *theirs)
    mine = [option.replace("--dest", "--src") for option in theirs]
    lines = shell.ok("copy", there, f"{start}-back", *mine, "--src-password-stdin", stdin=PASSWORD)
    assert lines[-2] == f"Digest: {INDEX.root.digest}"
    shell.ok(
        "copy",
        there,
        f"{start}-insecure",
        "--src-insecure",
        *mine[2:],
        "--src-password-stdin",
        stdin=PASSWORD,
    )
    assert "not trusted" in shell.fails(3, "copy", there, f"{start}-x", "--dest-insecure")


def test_source_and_target_have_their_own_client_certificates(
    shell: Shell, start: str, docker_registry_client: DockerRegistry
) -> None:
    shell.environ["SSL_CERT_FILE"] = "/dev/null"
    assert docker_registry_client.client
    certificate, key = map(str, docker_registry_client.client)
    there = f"{docker_registry_client.host}/octo/image:1.0"
    trust = ["--dest-ca-file", str(docker_registry_client.ca)]
    shell.fails(3, "copy", start, there, *trust)
    shell.ok("copy", start, there, *trust, "--dest-cert", certificate, "--dest-key", key)
