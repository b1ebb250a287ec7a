"""The local store, files in images, archives and builds, from Python."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl import BuildRequest, Client, NotFoundError, Platform, UsageError
from ghcrctl.errors import PlatformNotFoundError
from tests.builders import index_of, random_image
from tests.unit.engines.programs import calls, install_buildah

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry

IMAGE = random_image()
ARM = Platform("linux", "arm64")
HELLO = b"hello\n"


def tree(**files: bytes) -> io.BytesIO:
    """Create a tar archive of files with the given names."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream


@pytest.fixture
def hello(client: Client) -> str:
    client.import_image(tree(motd=HELLO), "hello:1.0", changes=['CMD ["/hello"]'])
    return "hello:1.0"


# The local store


def test_names_come_and_go(client: Client, hello: str) -> None:
    client.tag(hello, "octo/hello:1.0", "octo/hello:latest")
    assert {row.tag for row in client.images("ghcr.io/octo/hello")} == {"1.0", "latest"}
    assert client.rmi("octo/hello:latest").untagged == ("ghcr.io/octo/hello:latest",)
    assert client.exists(hello, local=True)
    assert not client.exists("octo/hello:latest", local=True)
    with pytest.raises(NotFoundError, match="latest"):
        client.rmi("octo/hello:latest")


def test_an_image_is_described_here_and_at_its_registry(
    client: Client, plain_registry: PlainRegistry, repository: str
) -> None:
    both = index_of(IMAGE, random_image(platform=ARM))
    plain_registry.push_image("octo/image", "1.0", both)
    name = f"{repository}:1.0"
    there = client.inspect(name, remote=True, platform="linux/arm64")
    assert there["Architecture"] == "arm64"
    with pytest.raises(PlatformNotFoundError):
        client.inspect(name, remote=True, platform="linux/s390x")
    client.pull(name)
    assert client.inspect(name)["RepoTags"] == [name]
    rows = client.platforms(name, remote=True)
    assert [row.platform for row in rows] == ["linux/amd64", "linux/arm64"]
    assert [row.to_pull == 0 for row in rows] == [True, False]


def test_a_platform_of_a_local_image_is_removed(
    client: Client, plain_registry: PlainRegistry, repository: str
) -> None:
    both = index_of(IMAGE, random_image(platform=ARM))
    plain_registry.push_image("octo/image", "1.0", both)
    client.pull(f"{repository}:1.0", all_platforms=True)
    reduced = client.rmi_platforms(f"{repository}:1.0", "linux/arm64")
    assert reduced.digest not in {both.root.digest, IMAGE.root.digest}
    [shown] = client.image_trees()
    assert [part.what for part in shown.root.images()] == ["linux/amd64"]


def test_room_is_measured_and_made(client: Client, hello: str) -> None:
    client.import_image(tree(motd=b"other\n"), "hello:1.0")
    usage = client.df()
    assert (usage.lines[0].total, usage.lines[0].active) == (2, 1)
    planned = client.prune(dry_run=True)
    assert planned.freed == usage.lines[0].reclaimable > 0
    assert client.prune() == planned
    assert client.prune(everything=True, max_size="1MB", dry_run=True).untagged == (hello,)
    with pytest.raises(UsageError):
        client.prune(filters=["until=yesterday"])


def test_damaged_content_is_downloaded_again(
    environ: dict[str, str], client: Client, plain_registry: PlainRegistry, repository: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    client.pull(f"{repository}:1.0")
    [layer] = [d for d, _ in IMAGE.blobs if "layer" in d.media_type][:1]
    path = Path(environ["GHCRCTL_STORE"]) / "blobs" / "sha256" / layer.digest.encoded
    path.chmod(0o644)
    path.write_bytes(b"x" * layer.size)
    assert client.fsck().broken == {layer.digest}
    repaired: list[str] = []
    assert not client.fsck(repair=True, tell=lambda one: repaired.append(one.name)).faults
    assert repaired == [f"{repository}:1.0"]


# Files


def test_files_are_listed_read_compared_and_written(
    tmp_path: Path, client: Client, hello: str
) -> None:
    client.import_image(tree(motd=b"other\n"), "hello:2.0")
    assert [row.name for row in client.ls(hello)] == ["motd"]
    assert client.cat(hello, "/motd") == HELLO
    with pytest.raises(NotFoundError):
        client.cat(hello, "/nothing")
    found = client.diff(hello, "hello:2.0", files=True)
    assert [change.path for change in found.files or ()] == ["motd"]
    assert client.history(hello)[0].comment == "Imported from a stream"
    client.export(hello, tmp_path / "files.tar")
    with tarfile.open(tmp_path / "files.tar") as archive:
        assert "motd" in archive.getnames()
    client.export_directory(hello, tmp_path / "files")
    assert (tmp_path / "files" / "motd").read_bytes() == HELLO
    chunks: list[bytes] = []
    client.export(hello, chunks.append)
    assert b"".join(chunks) == (tmp_path / "files.tar").read_bytes()


# Archives


@pytest.mark.parametrize("form", ["oci", "docker", "oci-dir"])
def test_saved_images_are_loaded(tmp_path: Path, client: Client, hello: str, form: str) -> None:
    before = client.images()[0].image_id
    client.save(hello, tmp_path / "saved", form=form)
    client.rmi(hello)
    [loaded] = client.load(tmp_path / "saved")
    assert loaded.name == hello
    assert loaded.image_id == before


def test_an_archive_may_be_a_stream_and_packed(client: Client, hello: str) -> None:
    chunks: list[bytes] = []
    client.save([hello], chunks.append, compress="zstd")
    client.rmi(hello)
    [loaded] = client.load(io.BytesIO(b"".join(chunks)))
    assert loaded.name == hello
    with pytest.raises(UsageError, match="requires a directory"):
        client.save(hello, chunks.append, form="oci-dir")


def test_a_tree_is_imported_from_a_file(tmp_path: Path, client: Client) -> None:
    (tmp_path / "tree.tar").write_bytes(tree(motd=HELLO).getvalue())
    made = client.import_image(tmp_path / "tree.tar", "hello", platform="linux/riscv64")
    assert made.name == "hello:latest"
    assert client.inspect("hello")["Architecture"] == "riscv64"
    with pytest.raises(NotFoundError):
        client.import_image(tmp_path / "nothing.tar")
    with pytest.raises(UsageError, match="is a directory"):
        client.import_image(tmp_path)
    with pytest.raises(UsageError, match="not a digest"):
        client.import_image(tree(), f"hello@{made.descriptor.digest}")


# Builds


def test_a_build_is_ordered_taken_in_and_pushed(
    tmp_path: Path, client: Client, plain_registry: PlainRegistry, repository: str
) -> None:
    install_buildah(tmp_path / "bin", IMAGE)
    order = BuildRequest(str(tmp_path), no_cache=True)
    built = client.build(
        order,
        tags=f"{repository}:1.0",
        build_args={"VERSION": "1.0", "PROXY": None},
        labels={"a": "b"},
        push=True,
    )
    assert built.descriptor.digest == IMAGE.root.digest
    assert client.digest(f"{repository}:1.0") == IMAGE.root.digest
    words = next(call for call in calls(tmp_path / "bin") if call[0] == "build")
    assert "--no-cache" in words
    assert "--build-arg=VERSION=1.0" in words
    assert "--label=a=b" in words
    assert plain_registry.count("PUT", "/manifests/1.0") == 1
