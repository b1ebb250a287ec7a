"""Archives keep bytes, names, platforms, holes and URLs of foreign layers."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci import media_types
from tests.integration.archive_stock import (
    BOTH,
    FOREIGN,
    HUGE,
    HUGE_SIZE,
    OTHER,
    REPOSITORY,
    RICH,
    Stock,
    digest_in_store,
    empty_docker,
    id_in_docker,
    id_in_store,
    on_bytes,
    raw_in_store,
    saved,
    shell,
    stock,
    tree,
)
from tests.integration.archives import (
    archive_of,
    docker_25,
    make_image,
    sha256,
    sparse_layer,
    write_layout,
)
from tests.integration.engines import docker
from tests.zstd import zstd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.engines import Docker
    from tests.shell import Shell

__all__ = ["docker", "empty_docker", "saved", "shell", "stock"]
pytestmark = pytest.mark.integration


def test_saving_twice_writes_the_same_bytes(
    stock: Stock, shell: Shell, saved: Path, tmp_path: Path
) -> None:
    assert on_bytes(stock.shell, "save", RICH) == saved.read_bytes()
    shell.ok("load", "-i", str(saved))
    assert on_bytes(shell, "save", RICH) == saved.read_bytes()
    for options, unpack in (
        (("--compress", "gzip"), gzip.decompress),
        (("--compress", "zstd"), zstd.decompress),
        (("--format", "docker"), None),
    ):
        first = on_bytes(stock.shell, "save", *options, RICH)
        shell.ok("save", *options, "-o", str(tmp_path / "again"), RICH)
        assert (tmp_path / "again").read_bytes() == first
        if unpack:
            assert unpack(first) == saved.read_bytes()


def test_all_images_round_trip_unchanged(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    names = {
        RICH: stock.rich.digest,
        OTHER: stock.other.digest,
        BOTH: str(stock.both.root.digest),
        FOREIGN: str(stock.foreign.root.digest),
    }
    stock.shell.ok("save", "-o", str(tmp_path / "all.tar"), *names)
    lines = shell.ok("load", "-i", str(tmp_path / "all.tar"))
    assert lines == [f"Loaded image: {name}" for name in names]
    assert {name: digest_in_store(shell, name) for name in names} == names
    with tarfile.open(tmp_path / "all.tar") as archive:
        inside = archive.getnames()
        assert all(member.mtime == 0 and member.uid == 0 for member in archive)
    assert len(inside) == len(set(inside))


def test_save_all_tags_of_a_repository(shell: Shell, saved: Path) -> None:
    shell.ok("load", "-i", str(saved))
    shell.ok("tag", RICH, f"{REPOSITORY}/rich:2")
    archive = on_bytes(shell, "save", f"{REPOSITORY}/rich")
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        [listed] = json.load(opened.extractfile("manifest.json") or io.BytesIO())
    assert sorted(listed["RepoTags"]) == [RICH, f"{REPOSITORY}/rich:2"]
    shell.ok("rmi", RICH, f"{REPOSITORY}/rich:2")
    lines = on_bytes(shell, "load", stdin=archive).decode().splitlines()
    assert lines == [f"Loaded image: {REPOSITORY}/rich:{tag}" for tag in (1, 2)]


def test_save_and_load_some_platforms(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.tar", tmp_path / "part.tar"
    stock.shell.ok("save", "-o", str(whole), BOTH)
    stock.shell.ok("save", "--platform", "linux/arm64", "-o", str(part), BOTH)
    shell.ok("load", "-i", str(part))
    from_part = digest_in_store(shell, BOTH)
    shell.ok("load", "--platform", "linux/arm64", "-i", str(whole))
    assert digest_in_store(shell, BOTH) == from_part != str(stock.both.root.digest)
    config = json.loads(raw_in_store(shell, id_in_store(shell, BOTH)))
    assert config["architecture"] == "arm64"
    shell.ok("load", "-i", str(whole))
    assert digest_in_store(shell, BOTH) == str(stock.both.root.digest)
    assert raw_in_store(shell, str(stock.both.root.digest)) == stock.both.raw


def test_partial_archive_is_small_and_can_be_loaded(
    stock: Stock, shell: Shell, saved: Path, tmp_path: Path
) -> None:
    part = tmp_path / "part.tar"
    stock.shell.ok("save", "--without", RICH, "-o", str(part), OTHER)
    assert part.stat().st_size < saved.stat().st_size / 10
    output = shell.fails(4, "load", "-i", str(part))
    shared = stock.rich.built.contents[0][0]
    assert f"{shared.digest} ({shared.size} bytes)" in output
    assert shell.ok("images", "-q") == []
    assert shell.ok("fsck")
    shell.ok("load", "-i", str(saved))
    assert shell.ok("load", "-i", str(part)) == [f"Loaded image: {OTHER}"]
    assert digest_in_store(shell, OTHER) == stock.other.digest
    listed = tmp_path / "listed"
    listed.write_bytes(raw_in_store(shell, stock.rich.digest))
    stock.shell.ok("save", "--without", str(listed), "-o", str(tmp_path / "same.tar"), OTHER)
    assert (tmp_path / "same.tar").read_bytes() == part.read_bytes()


def test_huge_files_of_zeros(
    stock: Stock, shell: Shell, empty_docker: Docker, tmp_path: Path
) -> None:
    path = tmp_path / "huge.tar"
    stock.shell.ok("save", "-o", str(path), HUGE)
    empty_docker.run("load", "-i", str(path))
    assert id_in_docker(empty_docker, HUGE) == stock.huge.image_id
    name = f"{REPOSITORY}/back:1"
    empty_docker.run("tag", HUGE, name)
    empty_docker.run("save", "-o", str(path), name)
    assert path.stat().st_size > HUGE_SIZE
    shell.ok("load", "-i", str(path))
    assert id_in_store(shell, name) == stock.huge.image_id
    assert f" {HUGE_SIZE} " in shell.ok("ls", "-l", name, "zeros")[0]


def test_sparse_files_keep_holes_and_digest(
    stock: Stock, shell: Shell, empty_docker: Docker, tmp_path: Path
) -> None:
    sparse = make_image([stock.rich.layers[0], sparse_layer(tmp_path)])
    name = f"{REPOSITORY}/sparse:1"
    layout = write_layout(tmp_path / "layout", {name: sparse.built})
    on_bytes(shell, "load", stdin=archive_of(layout))
    assert digest_in_store(shell, name) == sparse.digest
    path = tmp_path / "sparse.tar"
    for options in (("--format", "docker"), ()):
        shell.ok("save", *options, "-o", str(path), name)
        empty_docker.run("load", "-i", str(path))
        assert id_in_docker(empty_docker, name) == sparse.image_id
        empty_docker.run("rmi", "-f", sparse.image_id)
    with tarfile.open(fileobj=io.BytesIO(tree(shell, name))) as archive:
        assert archive.getmember("holes").size == 30_000_000


def test_foreign_layers_are_not_saved(stock: Stock, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "foreign.tar"
    stock.shell.ok("save", "-o", str(path), FOREIGN)
    assert shell.ok("load", "-i", str(path)) == [f"Loaded image: {FOREIGN}"]
    assert digest_in_store(shell, FOREIGN) == str(stock.foreign.root.digest)
    listed = json.loads(stock.foreign.raw)["layers"]
    with tarfile.open(path) as archive:
        inside = archive.getnames()
    assert f"blobs/{listed[0]['digest'].replace(':', '/')}" not in inside
    assert f"blobs/{listed[1]['digest'].replace(':', '/')}" in inside
    assert shell.fails(7, "save", "--format", "docker", FOREIGN)


def test_foreign_windows_layers_keep_their_urls(stock: Stock, shell: Shell) -> None:
    base = stock.rich.layers[0]
    foreign = {
        "mediaType": media_types.DOCKER_FOREIGN_LAYER,
        "digest": f"sha256:{'b' * 64}",
        "size": 123_456,
        "urls": ["https://mcr.example/blobs/base"],
    }
    sources = {f"sha256:{sha256(base)}": foreign}
    archive = docker_25(stock.rich, [RICH], sources=sources)
    on_bytes(shell, "load", stdin=archive)
    assert id_in_store(shell, RICH) == stock.rich.image_id
    manifest = json.loads(raw_in_store(shell, digest_in_store(shell, RICH)))
    assert manifest["layers"][0] == foreign
    assert [layer.get("urls") for layer in manifest["layers"][1:]] == [None, None]
    shell.ok("fsck")
    again = on_bytes(shell, "save", RICH)
    before = digest_in_store(shell, RICH)
    shell.ok("rmi", RICH)
    on_bytes(shell, "load", stdin=again)
    assert digest_in_store(shell, RICH) == before
