"""Exchange of archives with docker, in the formats of all versions and compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.archive_stock import (
    BOTH,
    OTHER,
    REPOSITORY,
    RICH,
    Stock,
    command,
    digest_in_store,
    empty_docker,
    id_in_docker,
    id_in_store,
    on_bytes,
    piped,
    saved,
    shell,
    stock,
    tree,
)
from tests.integration.archives import (
    GREETING,
    ODD_NAMES,
    docker_1_9,
    docker_1_10,
    docker_25,
    make_image,
)
from tests.integration.docker_registry import docker_registry
from tests.integration.engines import docker
from tests.integration.peers import require_peer
from tests.shell import Shell
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Docker


__all__ = ["docker", "docker_registry", "empty_docker", "saved", "shell", "stock"]
pytestmark = pytest.mark.integration


def greeting_of(docker: Docker, name: str) -> str:
    return docker.run("run", "--rm", "--network", "none", name).strip()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "zstd in frames": lambda data: b"".join(
        zstd.compress(data[start : start + 700_000]) for start in range(0, len(data), 700_000)
    ),
    "gzip in members": lambda data: gzip.compress(data[:999_999]) + gzip.compress(data[999_999:]),
}


@pytest.mark.parametrize(
    "options", [(), ("--compress", "gzip"), ("--format", "docker")], ids=" ".join
)
def test_docker_loads_and_runs_a_saved_image(
    stock: Stock, empty_docker: Docker, tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "saved"
    stock.shell.ok("save", *options, "-o", str(path), RICH)
    assert empty_docker.run("load", "-i", str(path)).splitlines()[-1] == f"Loaded image: {RICH}"
    assert id_in_docker(empty_docker, RICH) == stock.rich.image_id
    assert greeting_of(empty_docker, RICH) == GREETING


def test_docker_loads_all_images_from_a_pipe(stock: Stock, empty_docker: Docker) -> None:
    docker_command = [require_peer("docker"), "load"]
    environ = {**os.environ, **empty_docker.environ}
    printed = piped(
        [
            (command("save", RICH, OTHER, BOTH), stock.shell.environ),
            (docker_command, environ),
        ]
    )
    assert sorted(printed.split("Loaded image: ")[1:]) == sorted(
        f"{name}\n" for name in (RICH, OTHER, BOTH)
    )
    # Docker takes the image for its platform from the index.
    assert id_in_docker(empty_docker, BOTH) == stock.rich.image_id
    assert id_in_docker(empty_docker, OTHER) == stock.other.image_id


def test_docker_extracts_the_same_files(
    stock: Stock, empty_docker: Docker, saved: Path, tmp_path: Path
) -> None:
    empty_docker.run("load", "-i", str(saved))
    container = empty_docker.run("create", "--network", "none", RICH).strip()
    empty_docker.run("export", "-o", str(tmp_path / "theirs.tar"), container)
    empty_docker.run("rm", container)
    with tarfile.open(tmp_path / "theirs.tar") as archive:
        theirs = {member.name: member for member in archive}
    with tarfile.open(fileobj=io.BytesIO(tree(stock.shell, RICH))) as archive:
        ours = {member.name: member for member in archive}
    for name, member in ours.items():
        if not member.isdir():
            same = ("size", "uid", "gid", "mtime", "type", "linkname")
            assert {key: getattr(theirs[name], key) for key in same} == {
                key: getattr(member, key) for key in same
            }, name
            assert theirs[name].mode & 0o7777 == member.mode or member.issym()
    assert {f"odd/{name}" for name in ODD_NAMES} <= set(ours)
    assert "dir/hard" in ours
    assert {"dir/gone", "old/x"}.isdisjoint(ours)


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_docker_archives_round_trip(
    stock: Stock, shell: Shell, empty_docker: Docker, saved: Path, tmp_path: Path, how: str
) -> None:
    names = [RICH, f"{REPOSITORY}/rich:2", "localhost:5000/alias:x"]
    empty_docker.run("load", "-i", str(saved))
    for name in names[1:]:
        empty_docker.run("tag", RICH, name)
    path = tmp_path / "theirs.tar"
    empty_docker.run("save", "-o", str(path), *names)
    if how == "file":
        lines = shell.ok("load", "-i", str(path))
    else:
        lines = on_bytes(shell, "load", stdin=path.read_bytes()).decode().splitlines()
    assert sorted(lines) == sorted(f"Loaded image: {name}" for name in names)
    assert {id_in_store(shell, name) for name in names} == {stock.rich.image_id}
    assert tree(shell, RICH) == tree(stock.shell, RICH)
    empty_docker.run("rmi", "-f", stock.rich.image_id)
    shell.ok("save", "-o", str(tmp_path / "back.tar"), *names)
    empty_docker.run("load", "-i", str(tmp_path / "back.tar"))
    assert {id_in_docker(empty_docker, name) for name in names} == {stock.rich.image_id}
    assert greeting_of(empty_docker, names[1]) == GREETING


def test_load_image_without_a_name(
    stock: Stock, shell: Shell, empty_docker: Docker, saved: Path, tmp_path: Path
) -> None:
    empty_docker.run("load", "-i", str(saved))
    empty_docker.run("save", "-o", str(tmp_path / "nameless.tar"), stock.rich.image_id)
    lines = shell.ok("load", "-i", str(tmp_path / "nameless.tar"))
    assert lines == [f"Loaded image ID: {stock.rich.image_id}"]
    shell.ok("tag", stock.rich.image_id, "again:1")
    back = on_bytes(shell, "save", stock.rich.image_id)
    empty_docker.run("rmi", "-f", stock.rich.image_id)
    (tmp_path / "back.tar").write_bytes(back)
    empty_docker.run("load", "-i", str(tmp_path / "back.tar"))
    assert greeting_of(empty_docker, stock.rich.image_id) == GREETING


def test_docker_archive_always_has_the_same_digest(
    stock: Stock,
    tmp_path: Path,
    empty_docker: Docker,
    docker_registry: DockerRegistry,
    saved: Path,
) -> None:
    name = f"{docker_registry.host}/octo/stable:1"
    empty_docker.run("load", "-i", str(saved))
    empty_docker.run("tag", RICH, name)
    empty_docker.run("save", "-o", str(tmp_path / "theirs.tar"), name)
    digests = set()
    for number in range(2):
        fresh = Shell(tmp_path / f"home{number}")
        fresh.ok("load", "-i", str(tmp_path / "theirs.tar"))
        digests.add(digest_in_store(fresh, name))
        digests.add(fresh.ok("push", name)[-1].split()[2])
    assert len(digests) == 1
    empty_docker.run("rmi", "-f", stock.rich.image_id)
    empty_docker.run("pull", "-q", name)
    assert id_in_docker(empty_docker, name) == stock.rich.image_id


@pytest.mark.parametrize("names", [(RICH,), (RICH, f"{REPOSITORY}/rich:2"), ()], ids=len)
@pytest.mark.parametrize("age", [docker_1_10, docker_25])
def test_load_archives_of_all_docker_versions(
    stock: Stock, shell: Shell, age: Callable[..., bytes], names: tuple[str, ...]
) -> None:
    lines = on_bytes(shell, "load", stdin=age(stock.rich, names)).decode().splitlines()
    if not names:
        assert lines == [f"Loaded image ID: {stock.rich.image_id}"]
        return
    assert sorted(lines) == sorted(f"Loaded image: {name}" for name in names)
    assert {id_in_store(shell, name) for name in names} == {stock.rich.image_id}
    assert tree(shell, names[-1]) == tree(stock.shell, RICH)


def test_legacy_archives_are_converted_like_docker_does(
    stock: Stock, shell: Shell, empty_docker: Docker, tmp_path: Path
) -> None:
    names = [RICH, f"{REPOSITORY}/rich:2"]
    path = tmp_path / "old.tar"
    path.write_bytes(docker_1_9(stock.rich, names))
    assert sorted(shell.ok("load", "-i", str(path))) == [f"Loaded image: {n}" for n in names]
    empty_docker.run("load", "-i", str(path))
    [theirs] = json.loads(empty_docker.run("inspect", RICH))
    [ours] = json.loads("\n".join(shell.ok("inspect", RICH)))
    for key in ("Os", "Architecture", "RootFS", "Created"):
        assert ours[key] == theirs[key]
    for key in ("Cmd", "Env", "Labels"):
        assert ours["Config"][key] == theirs["Config"][key]
    assert tree(shell, names[1]) == tree(stock.shell, RICH)
    empty_docker.run("rmi", "-f", theirs["Id"])
    (tmp_path / "back.tar").write_bytes(on_bytes(shell, "save", RICH))
    empty_docker.run("load", "-i", str(tmp_path / "back.tar"))
    assert greeting_of(empty_docker, RICH) == GREETING


def test_duplicate_layer_is_a_link_to_the_first(stock: Stock, shell: Shell) -> None:
    twice = make_image([stock.rich.layers[0], *stock.rich.layers[1:] * 2])
    on_bytes(shell, "load", stdin=docker_1_10(twice, [RICH]))
    assert id_in_store(shell, RICH) == twice.image_id
    assert tree(shell, RICH) == tree(stock.shell, RICH)


@pytest.mark.parametrize("how", ["file", "pipe"])
@pytest.mark.parametrize("packer", PACKERS)
def test_load_compressed_archives(
    stock: Stock, shell: Shell, saved: Path, tmp_path: Path, packer: str, how: str
) -> None:
    packed = PACKERS[packer](saved.read_bytes())
    if how == "file":
        # The file name does not matter.
        (tmp_path / "packed.tar.lz4").write_bytes(packed)
        shell.ok("load", "-i", str(tmp_path / "packed.tar.lz4"))
    else:
        on_bytes(shell, "load", stdin=packed)
    assert digest_in_store(shell, RICH) == stock.rich.digest
