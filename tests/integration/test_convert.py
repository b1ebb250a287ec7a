"""Converted, flattened and rebased images are readable by other tools."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.oci import media_types
from ghcrctl.oci.platform import Platform
from tests.builders import attested, index_of, random_image
from tests.integration.docker_registry import docker_registry
from tests.integration.engines import buildah
from tests.integration.peers import require_peer, run_peer
from tests.integration.test_export import archived, exported, on_disk
from tests.integration.test_interop import write_layout
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Built
    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Buildah

__all__ = ["buildah", "docker_registry"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.needs("root"),
]

_STEPS = """\
RUN ["/bin/busybox", "mkdir", "/d", "/old"]
RUN ["/bin/busybox", "sh", "-c", "cd /d; b=/bin/busybox; $b cp $b x; $b ln x y; $b chown 1:2 x"]
RUN ["/bin/busybox", "rm", "-r", "/old"]
RUN ["/bin/busybox", "mkfifo", "/d/pipe"]
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def built(buildah: Buildah, docker_registry: DockerRegistry, tmp_path: Path, request: Any) -> str:
    """Return the name of an image at the registry that buildah has built."""
    name = f"{docker_registry.host}/octo/converted:{request.node.name.partition('[')[0][-30:]}"
    build(buildah, tmp_path / "context", name, _STEPS)
    return name


def build(buildah: Buildah, folder: Path, name: str, steps: str, *, base: str = "scratch") -> None:
    """Build an image from scratch with one layer per step, and push it."""
    folder.mkdir()
    shutil.copy(require_peer("busybox"), folder / "busybox")
    box = "COPY busybox /bin/busybox\n" if base == "scratch" else ""
    (folder / "Dockerfile").write_text(f"FROM {base}\n{box}{steps}")
    buildah.run(
        *("build", f"--layers={str(base == 'scratch').lower()}", "--isolation", "chroot"),
        *("--network", "host", "--tls-verify=false", "-t", name, str(folder)),
    )
    buildah.run("push", "--tls-verify=false", "--format", "oci", name)


def raw(name: str) -> dict[str, Any]:
    """Return a manifest that skopeo reads from a registry."""
    text = run_peer("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}")
    found: dict[str, Any] = json.loads(text)
    return found


def push_built(image: Built, name: str, folder: Path) -> None:
    """Push content to a registry with skopeo."""
    layout = write_layout(image, folder)
    options = ("--all", "--preserve-digests", "--dest-tls-verify=false")
    run_peer("skopeo", "copy", *options, f"oci:{layout}:source", f"docker://{name}")


def unpacked(name: str, folder: Path) -> Path:
    """Unpack an image with umoci."""
    folder.mkdir()
    run_peer("skopeo", "copy", "--src-tls-verify=false", f"docker://{name}", f"oci:{folder}/oci:1")
    run_peer("umoci", "unpack", "--image", f"{folder}/oci:1", f"{folder}/bundle")
    return folder / "bundle" / "rootfs"


def test_umoci_unpacks_a_flattened_image_like_export(
    shell: Shell, built: str, tmp_path: Path
) -> None:
    shell.ok("flatten", "-t", f"{built}-flat", built)
    assert len(raw(f"{built}-flat")["layers"]) == 1
    ours = exported(shell, built, tmp_path)
    assert on_disk(unpacked(f"{built}-flat", tmp_path / "umoci")) == ours
    # The image in the store is the same.
    [digest] = shell.ok("flatten", "-q", "--local", "-t", "flat", built)
    assert shell.ok("flatten", "-q", "-t", f"{built}-again", built) == [digest]
    shell.ok("export", "-o", str(tmp_path / "flat.tar"), "flat")
    assert archived(tmp_path / "flat.tar") == ours
    assert ours["d/x"] == ours["d/y"]
    assert "old" not in ours


@pytest.mark.parametrize("format_", ["oci", "docker"])
def test_skopeo_reads_a_converted_image(
    shell: Shell, built: str, tmp_path: Path, format_: str
) -> None:
    other = f"{built}-{format_}"
    assert "annotations" in raw(built)
    back = "docker" if format_ == "oci" else "oci"
    shell.ok("convert", "--to", back, "-t", f"{other}-first", built)
    shell.ok("convert", "--to", format_, "-t", other, f"{other}-first")
    kinds = {
        "oci": (media_types.OCI_MANIFEST, media_types.OCI_LAYER_GZIP),
        "docker": (media_types.DOCKER_MANIFEST, media_types.DOCKER_LAYER_GZIP),
    }
    manifest = raw(other)
    seen = manifest["mediaType"], *{layer["mediaType"] for layer in manifest["layers"]}
    assert seen == kinds[format_]
    before, after = (
        json.loads(run_peer("skopeo", "inspect", "--tls-verify=false", f"docker://{name}"))
        for name in (built, other)
    )
    assert after["Layers"] == before["Layers"]
    run_peer("skopeo", "copy", "--src-tls-verify=false", f"docker://{other}", f"dir:{tmp_path}/dir")
    theirs = json.loads((tmp_path / "dir" / "manifest.json").read_text())
    assert theirs == manifest
    assert on_disk(unpacked(other, tmp_path / "umoci")) == exported(shell, built, tmp_path)


def test_buildah_mounts_an_image_with_zstd_layers(
    shell: Shell, buildah: Buildah, built: str, tmp_path: Path
) -> None:
    shell.ok("convert", "--to", "oci", "--compress", "zstd", "-t", f"{built}-zstd", built)
    assert {layer["mediaType"] for layer in raw(f"{built}-zstd")["layers"]} == {
        media_types.OCI_LAYER_ZSTD
    }
    container = buildah.run("from", "--tls-verify=false", f"{built}-zstd").strip()
    mounted = tmp_path / "mounted"
    mounted.symlink_to(buildah.run("mount", container).strip())
    assert on_disk(mounted.resolve()) == exported(shell, built, tmp_path)
    # The image is the same: skopeo decompresses its layers to the original diff IDs.
    options = ("--src-tls-verify=false", "--dest-compress", "--dest-compress-format=gzip")
    run_peer("skopeo", "copy", *options, f"docker://{built}-zstd", f"oci:{tmp_path}/back:1")
    assert json.loads(run_peer("skopeo", "inspect", "--config", f"oci:{tmp_path}/back:1")) == (
        json.loads(
            run_peer("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{built}")
        )
    )


def test_skopeo_copies_a_converted_index(
    shell: Shell, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    name, other = (f"{docker_registry.host}/octo/index:{tag}" for tag in ("1", "2"))
    arm = random_image(1, platform=Platform("linux", "arm64"))
    push_built(index_of(random_image(2), arm), name, tmp_path / "layout")
    shell.ok("convert", "--to", "docker", "-t", other, name)
    assert raw(other)["mediaType"] == media_types.DOCKER_LIST
    options = ("--all", "--preserve-digests", "--src-tls-verify=false")
    run_peer("skopeo", "copy", *options, f"docker://{other}", f"dir:{tmp_path}/dir")
    assert json.loads((tmp_path / "dir" / "manifest.json").read_text()) == raw(other)
    shell.ok("convert", "--to", "oci", "--replace", other)
    assert shell.ok("digest", other) == shell.ok("digest", name)


@pytest.mark.parametrize("options", [["--to", "docker"], ["--compress", "zstd"]])
def test_skopeo_copies_a_converted_index_with_attestations(
    shell: Shell, docker_registry: DockerRegistry, tmp_path: Path, options: list[str]
) -> None:
    name, other = (f"{docker_registry.host}/octo/attested:{tag}" for tag in ("1", options[1]))
    push_built(attested(random_image(2)), name, tmp_path / "layout")
    shell.ok("convert", *options, "-t", other, name)
    ours, statement = raw(other)["manifests"]
    assert statement["annotations"]["vnd.docker.reference.digest"] == ours["digest"]
    assert statement["digest"] == raw(name)["manifests"][1]["digest"]
    keep = ("--all", "--preserve-digests", "--src-tls-verify=false")
    run_peer("skopeo", "copy", *keep, f"docker://{other}", f"dir:{tmp_path}/dir")
    kept = tmp_path / "dir" / f"{statement['digest'].removeprefix('sha256:')}.manifest.json"
    assert kept.exists()


def test_rebase_an_image_built_by_buildah(
    shell: Shell, buildah: Buildah, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    base, app = (f"{docker_registry.host}/octo/{name}:1" for name in ("base", "app"))
    mark = 'RUN ["/bin/busybox", "touch", "/{}"]\n'
    build(buildah, tmp_path / "one", base, mark.format("old"))
    # Buildah records the digest of the base image if it pulls the image and adds one layer.
    buildah.run("rmi", "--all", "--force")
    build(buildah, tmp_path / "app", app, mark.format("mine") + "ENV A=b\n", base=base)
    build(buildah, tmp_path / "two", base, mark.format("new"))
    digest = shell.ok("digest", base)
    shell.ok("rebase", "-t", f"{app}-rebased", app)
    annotations = raw(f"{app}-rebased")["annotations"]
    assert annotations["org.opencontainers.image.base.name"] == base
    assert [annotations["org.opencontainers.image.base.digest"]] == digest
    files = {path.name for path in unpacked(f"{app}-rebased", tmp_path / "umoci").iterdir()}
    assert {"new", "mine"} < files
    assert "old" not in files
    seen = json.loads(
        run_peer("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{app}-rebased")
    )
    assert "A=b" in seen["config"]["Env"]
    layers = sum(not step.get("empty_layer") for step in seen["history"])
    assert layers == len(seen["rootfs"]["diff_ids"]) == len(raw(f"{app}-rebased")["layers"])
