"""Images of other tools pass through ghcrctl unchanged, and other tools accept them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import index_of, random_image
from tests.integration.docker_registry import docker_registry
from tests.integration.engines import GREETING, buildah, context, docker
from tests.integration.peers import run_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Built
    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Buildah, Docker

__all__ = ["buildah", "context", "docker", "docker_registry"]
pytestmark = pytest.mark.integration


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


def raw(name: str) -> str:
    """Return a manifest that skopeo reads from a registry."""
    return run_peer("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}")


def through_ghcrctl(shell: Shell, name: str, other: str, *options: str) -> str:
    """Pull an image, push it under another name, and return its digest."""
    lines = shell.ok("pull", *options, name)
    [digest] = [line.split()[1] for line in lines if line.startswith("Digest: ")]
    shell.ok("tag", name, other)
    pushed = shell.ok("push", other)
    assert pushed[-1].split()[2] == digest
    assert raw(other) == raw(name)
    return digest


def test_docker_image_round_trip(
    shell: Shell, docker: Docker, docker_registry: DockerRegistry, context: Path
) -> None:
    name, other = (f"{docker_registry.host}/octo/{end}" for end in ("built:1", "again:1"))
    docker.run("build", "-q", "--network", "none", "-t", name, str(context))
    docker.run("push", name)
    digest = through_ghcrctl(shell, name, other)
    [original] = json.loads(docker.run("inspect", name))
    [ours] = json.loads("\n".join(shell.ok("inspect", other)))
    assert same_fields(ours) == same_fields(original)
    assert f"{other.removesuffix(':1')}@{digest}" in ours["RepoDigests"]
    docker.run("rmi", "-f", original["Id"])
    docker.run("pull", other)
    [again] = json.loads(docker.run("inspect", other))
    assert again["Id"] == original["Id"]
    assert again["RepoDigests"] == [f"{other.removesuffix(':1')}@{digest}"]
    assert docker.run("run", "--rm", "--network", "none", other).strip() == GREETING
    docker.run("rmi", "-f", original["Id"])


def same_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Return the original fields of a pulled image, since docker adds empty fields."""
    config = {key: value for key, value in document["Config"].items() if value}
    fields = ("Id", "Created", "Architecture", "Os", "RootFS", "Comment", "Author")
    # Only the config that docker shows after a build has the host name of its container.
    return {
        **{field: document.get(field, "") for field in fields},
        **{key: config.get(key) for key in ("Env", "Cmd", "Labels", "Entrypoint", "WorkingDir")},
    }


@pytest.mark.parametrize("format_", ["oci", "docker"])
def test_docker_runs_an_image_of_buildah(
    shell: Shell,
    buildah: Buildah,
    docker: Docker,
    docker_registry: DockerRegistry,
    context: Path,
    format_: str,
) -> None:
    name, other = (f"{docker_registry.host}/octo/{end}" for end in ("built:1", "again:1"))
    buildah.build(context, "built", format_)
    buildah.run("push", "--tls-verify=false", "--format", image_format(format_), "built", name)
    through_ghcrctl(shell, name, other)
    [image_id] = shell.ok("images", "-q", "--no-trunc", other)
    assert docker.run("pull", "-q", other).strip() == other
    assert docker.run("inspect", "-f", "{{.Id}}", other).strip() == image_id
    assert docker.run("run", "--rm", "--network", "none", other).strip() == GREETING
    docker.run("rmi", "-f", image_id)


def image_format(format_: str) -> str:
    """Return the name of a format in push options."""
    return "v2s2" if format_ == "docker" else format_


def test_index_of_buildah_keeps_its_digest(
    shell: Shell, buildah: Buildah, docker_registry: DockerRegistry, context: Path
) -> None:
    name, other = (f"{docker_registry.host}/octo/{end}" for end in ("both:1", "again:1"))
    buildah.build(context, "built", "oci")
    single = f"{docker_registry.host}/octo/both:amd64"
    buildah.run("push", "--tls-verify=false", "built", single)
    buildah.run("manifest", "create", "both")
    for options in ((), ("--arch", "arm64", "--variant", "v8")):
        buildah.run("manifest", "add", "--tls-verify=false", *options, "both", f"docker://{single}")
    buildah.run(
        *("manifest", "push", "--all", "--tls-verify=false", "--format", "oci"),
        *("both", f"docker://{name}"),
    )
    through_ghcrctl(shell, name, other, "--all-platforms")


@pytest.mark.parametrize("format_", ["oci", "docker"])
@pytest.mark.parametrize("shape", ["image", "index"])
def test_image_of_skopeo_is_unchanged(
    shell: Shell, tmp_path: Path, docker_registry: DockerRegistry, format_: str, shape: str
) -> None:
    name, other = (f"{docker_registry.host}/octo/{end}" for end in ("copied:1", "again:1"))
    image = random_image(3)
    layout = write_layout(image if shape == "image" else index_of(image), tmp_path / "layout")
    options = ("--all", "--format", image_format(format_), "--dest-tls-verify=false")
    run_peer("skopeo", "copy", *options, f"oci:{layout}:source", f"docker://{name}")
    through_ghcrctl(shell, name, other, "--all-platforms")
    back = tmp_path / "back"
    run_peer(
        "skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{other}", f"dir:{back}"
    )
    assert (back / "manifest.json").read_text() == raw(name)


def write_layout(built: Built, folder: Path) -> Path:
    """Write an OCI layout without ghcrctl's code (OCI image spec 1.1, image-layout.md)."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for descriptor, content in built.contents:
        (blobs / descriptor.digest.encoded).write_bytes(content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    root = {
        "mediaType": built.root.media_type,
        "digest": str(built.root.digest),
        "size": built.root.size,
        "annotations": {"org.opencontainers.image.ref.name": "source"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    return folder


def test_other_tools_read_the_store(
    shell: Shell, buildah: Buildah, docker_registry: DockerRegistry, context: Path, tmp_path: Path
) -> None:
    name = f"{docker_registry.host}/octo/built:1"
    buildah.build(context, "built", "oci")
    buildah.run("push", "--tls-verify=false", "built", name)
    shell.ok("pull", name)
    store = shell.environ["GHCRCTL_STORE"]
    assert run_peer("skopeo", "inspect", "--raw", f"oci:{store}:{name}") == raw(name)
    seen = json.loads(run_peer("skopeo", "inspect", f"oci:{store}:{name}"))
    assert "COLOUR=green" in seen["Env"]
    assert run_peer("umoci", "ls", "--layout", store).split() == [name]
    bundle = tmp_path / "bundle"
    run_peer("umoci", "unpack", "--image", f"{store}:{name}", str(bundle))
    assert (bundle / "rootfs" / "greeting").read_text().strip() == GREETING


def test_docker_runs_an_imported_tree(
    shell: Shell, docker: Docker, docker_registry: DockerRegistry, context: Path
) -> None:
    name = f"{docker_registry.host}/octo/imported:1"
    archive = context.parent / "tree.tar"
    run_peer("tar", "-C", str(context), "-cf", str(archive), "busybox")
    [image_id] = shell.ok(
        "import", "-c", 'ENTRYPOINT ["/busybox", "echo", "imported"]', str(archive), name
    )
    shell.ok("push", name)
    docker.run("pull", name)
    assert docker.run("inspect", "-f", "{{.Id}}", name).strip() == image_id
    assert docker.run("run", "--rm", "--network", "none", name, "well").strip() == "imported well"
    docker.run("rmi", "-f", image_id)
