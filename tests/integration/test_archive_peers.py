"""Exchange of archives with skopeo, buildah, podman and umoci."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.archive_stock import (
    BOTH,
    OTHER,
    RICH,
    Stock,
    digest_in_store,
    id_in_store,
    on_bytes,
    raw_in_store,
    saved,
    shell,
    stock,
    tree,
)
from tests.integration.archives import GREETING, ODD_NAMES, sha256
from tests.integration.engines import Buildah, buildah
from tests.integration.peers import run_peer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Shell

__all__ = ["buildah", "saved", "shell", "stock"]
pytestmark = pytest.mark.integration

KINDS = ["docker-archive", "oci-archive", "oci"]


class Podman:
    """Podman with its own storage."""

    def __init__(self, folder: Path) -> None:
        self._options = (
            *("--root", f"{folder}/root", "--runroot", f"{folder}/r"),
            *("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"),
            *("--events-backend", "none", "--tmpdir", f"{folder}/tmp"),
        )

    def run(self, *arguments: str) -> str:
        """Run a podman command, which must succeed, and return its output."""
        return run_peer("podman", *self._options, *arguments)


@pytest.fixture
def podman(tmp_path_factory: pytest.TempPathFactory) -> Podman:
    # Podman supports paths of at most 50 characters here.
    return Podman(tmp_path_factory.mktemp("p"))


def read_by_skopeo(where: str, scratch: Path) -> dict[str, Any]:
    """Copy an image with skopeo, which verifies every digest; return its manifest."""
    run_peer("skopeo", "copy", where, f"dir:{scratch}")
    found: dict[str, Any] = json.loads((scratch / "manifest.json").read_bytes())
    return found


def loads(shell: Shell, path: Path) -> None:
    assert shell.ok("load", "-i", str(path)) == [f"Loaded image: {RICH}"]


@pytest.mark.parametrize("kind", KINDS)
def test_load_archives_of_skopeo(stock: Stock, shell: Shell, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "theirs"
    run_peer("skopeo", "copy", f"oci:{stock.layout}:{RICH}", f"{kind}:{path}:{RICH}")
    loads(shell, path)
    assert id_in_store(shell, RICH) == stock.rich.image_id
    assert tree(shell, RICH) == tree(stock.shell, RICH)
    if kind != "docker-archive":
        assert digest_in_store(shell, RICH) == stock.rich.digest


def test_load_multi_platform_archive_of_skopeo(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "theirs.tar"
    run_peer("skopeo", "copy", "--all", f"oci:{stock.layout}:{BOTH}", f"oci-archive:{path}:{BOTH}")
    shell.ok("load", "-i", str(path))
    assert digest_in_store(shell, BOTH) == str(stock.both.root.digest)
    assert raw_in_store(shell, str(stock.both.root.digest)) == stock.both.raw


def test_load_zstd_archive_of_skopeo(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "theirs.tar"
    options = ("--dest-compress-format", "zstd", "--dest-compress")
    run_peer("skopeo", "copy", *options, f"oci:{stock.layout}:{RICH}", f"oci-archive:{path}")
    lines = shell.ok("load", "-i", str(path))
    assert lines == [f"Loaded image ID: {stock.rich.image_id}"]
    shell.ok("tag", stock.rich.image_id, "zstd:1")
    assert tree(shell, "zstd:1") == tree(stock.shell, RICH)


@pytest.mark.parametrize("kind", KINDS)
def test_skopeo_reads_saved_archives(stock: Stock, saved: Path, tmp_path: Path, kind: str) -> None:
    path, name = saved, RICH
    if kind == "oci":
        path, name = tmp_path / "directory", RICH.rpartition(":")[2]
        stock.shell.ok("save", "--format", "oci-dir", "-o", str(path), RICH)
    manifest = read_by_skopeo(f"{kind}:{path}:{name}", tmp_path / "copied")
    assert manifest["config"]["digest"] == stock.rich.image_id
    raw = run_peer("skopeo", "inspect", "--raw", f"{kind}:{path}:{name}")
    assert (raw.encode() == stock.rich.built.raw) == (kind != "docker-archive")


def test_skopeo_reads_saved_docker_archives(stock: Stock, tmp_path: Path) -> None:
    path = tmp_path / "docker.tar"
    stock.shell.ok("save", "--format", "docker", "-o", str(path), RICH, OTHER)
    for name, made in ((RICH, stock.rich), (OTHER, stock.other)):
        manifest = read_by_skopeo(f"docker-archive:{path}:{name}", tmp_path / made.image_id[:12])
        assert manifest["config"]["digest"] == made.image_id
        # The digests of uncompressed layers are the diff IDs in the config.
        assert [layer["digest"] for layer in manifest["layers"]] == [
            f"sha256:{sha256(layer)}" for layer in made.layers
        ]


def test_skopeo_finds_each_image_of_an_archive(stock: Stock, tmp_path: Path) -> None:
    path = tmp_path / "several.tar"
    stock.shell.ok("save", "-o", str(path), RICH, OTHER, BOTH)
    for name, built in ((RICH, stock.rich.built), (OTHER, stock.other.built), (BOTH, stock.both)):
        raw = run_peer("skopeo", "inspect", "--raw", f"oci-archive:{path}:{name}")
        assert raw.encode() == built.raw
    manifest = read_by_skopeo(f"docker-archive:{path}:{OTHER}", tmp_path / "copied")
    assert manifest["config"]["digest"] == stock.other.image_id


def test_skopeo_copies_all_saved_platforms(stock: Stock, tmp_path: Path) -> None:
    path = tmp_path / "both.tar"
    stock.shell.ok("save", "-o", str(path), BOTH)
    run_peer("skopeo", "copy", "--all", f"oci-archive:{path}", f"dir:{tmp_path / 'copied'}")
    assert (tmp_path / "copied" / "manifest.json").read_bytes() == stock.both.raw


def test_skopeo_reads_compressed_archives(stock: Stock, tmp_path: Path) -> None:
    # Skopeo 1.9 truncates gzip archives, even its own.
    path = tmp_path / "packed.tar"
    stock.shell.ok("save", "--compress", "zstd", "-o", str(path), RICH)
    manifest = read_by_skopeo(f"docker-archive:{path}:{RICH}", tmp_path / "copied")
    assert manifest["config"]["digest"] == stock.rich.image_id


@pytest.mark.parametrize("kind", KINDS)
def test_load_archives_of_buildah(
    shell: Shell, buildah: Buildah, saved: Path, tmp_path: Path, kind: str
) -> None:
    buildah.run("pull", "-q", f"oci-archive:{saved}:{RICH}")
    path = tmp_path / "theirs"
    noted = tmp_path / "digest"
    buildah.run("push", "--digestfile", str(noted), RICH, f"{kind}:{path}:{RICH}")
    loads(shell, path)
    image_id = buildah.run("images", "-q", "--no-trunc", RICH).strip()
    assert id_in_store(shell, RICH) == image_id
    if kind != "docker-archive":
        assert digest_in_store(shell, RICH) == noted.read_text().strip()


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_buildah_builds_on_a_saved_image(
    stock: Stock, shell: Shell, buildah: Buildah, saved: Path, tmp_path: Path, kind: str
) -> None:
    image_id = buildah.run("pull", "-q", f"{kind}:{saved}:{RICH}").strip()
    assert f"sha256:{image_id}" == stock.rich.image_id
    container = buildah.run("from", "--pull-never", RICH).strip()
    ran = buildah.run("run", "--isolation", "chroot", container, "/bin/busybox", "cat", "/greeting")
    assert ran.strip() == GREETING
    buildah.run("config", "--label", "more=yes", container)
    buildah.run("commit", "-q", container, f"oci-archive:{tmp_path / 'more.tar'}:{OTHER}")
    lines = on_bytes(shell, "load", stdin=(tmp_path / "more.tar").read_bytes()).decode()
    assert f"Loaded image: {OTHER}" in lines


@pytest.mark.parametrize("format_", ["docker-archive", "oci-archive", "docker-dir", "oci-dir"])
def test_load_archives_of_podman(
    stock: Stock, shell: Shell, podman: Podman, saved: Path, tmp_path: Path, format_: str
) -> None:
    podman.run("load", "-q", "-i", str(saved))
    path = tmp_path / "theirs"
    podman.run("save", "-q", "--format", format_, "-o", str(path), RICH)
    if format_ == "docker-dir":
        # This format is skopeo's own; docker does not have it.
        assert shell.fails(6, "load", "-i", str(path))
        return
    loads(shell, path)
    assert tree(shell, RICH) == tree(stock.shell, RICH)
    assert id_in_store(shell, RICH) == stock.rich.image_id


def test_podman_loads_several_images(stock: Stock, podman: Podman, tmp_path: Path) -> None:
    path = tmp_path / "several.tar"
    for format_ in ("oci", "docker"):
        stock.shell.ok("save", "--format", format_, "-o", str(path), RICH, OTHER)
        printed = podman.run("load", "-i", str(path))
        assert {RICH, OTHER} <= set(printed.replace("Loaded image:", " ").split())
        for name, made in ((RICH, stock.rich), (OTHER, stock.other)):
            image_id = podman.run("images", "-q", "--no-trunc", name).strip()
            assert image_id == made.image_id
        podman.run("rmi", "-f", RICH, OTHER)


def test_umoci_unpacks_a_saved_layout(stock: Stock, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    for name in (RICH, OTHER):
        stock.shell.ok("save", "--format", "oci-dir", "-o", str(layout), name)
    # Both have the tag 1, so the second one is listed by its full name.
    assert run_peer("umoci", "ls", "--layout", str(layout)).split() == ["1", OTHER]
    run_peer("umoci", "unpack", "--image", f"{layout}:1", str(tmp_path / "bundle"))
    rootfs = tmp_path / "bundle" / "rootfs"
    assert (rootfs / "greeting").read_text().strip() == GREETING
    assert (rootfs / "dir" / "a").stat().st_ino == (rootfs / "dir" / "hard").stat().st_ino
    assert [(rootfs / "odd" / name).read_text() for name in ODD_NAMES] == ODD_NAMES
    assert not (rootfs / "dir" / "gone").exists()


def test_load_layout_of_umoci(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    stock.shell.ok("save", "--format", "oci-dir", "-o", str(layout), RICH)
    bundle = tmp_path / "bundle"
    run_peer("umoci", "unpack", "--image", f"{layout}:1", str(bundle))
    (bundle / "rootfs" / "added").write_text("by umoci")
    run_peer("umoci", "repack", "--image", f"{layout}:{OTHER}", str(bundle))
    shell.ok("load", "-i", str(layout))
    assert digest_in_store(shell, RICH) == stock.rich.digest
    assert on_bytes(shell, "cat", OTHER, "/added") == b"by umoci"
