"""Partial archives that leave out content that the recipient has."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import BlobUnknownError, UsageError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.known_content import known_content
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_archive, save_directory
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.archives import docker_archive, layer, tar_of
from tests.builders import index_of, random_image
from tests.sessions import is_stored, session_on
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built


ARM = Platform("linux", "arm64")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "here") as made:
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "there") as made:
        yield made


def put(session: Session, image: Built, name: str) -> None:
    """Store an image."""
    memory = MemoryPlace()
    image.into(memory)
    execute(make_plan(memory, StorePlace(session.store), image.root, names=(name,)))


def saved(session: Session, name: str, *, without: Collection[Digest] = ()) -> io.BytesIO:
    """Save an image; return the archive."""
    buffer = io.BytesIO()
    save_archive(session, [name], buffer.write, without=without)
    buffer.seek(0)
    return buffer


def stored(session: Session) -> list[Digest]:
    """Return all content of a store."""
    return list(session.store.blobs.all())


def test_a_partial_archive_is_small_and_complete(session: Session, other: Session) -> None:
    base = random_image(layers=2, size=50_000, seed=1)
    more = _extended(base)
    put(session, base, "ghcr.io/octo/image:1")
    put(session, more, "ghcr.io/octo/image:2")
    put(other, base, "ghcr.io/octo/image:1")
    delta = saved(session, "octo/image:2", without=known_content(session, "octo/image:1"))
    assert len(delta.getvalue()) < 20_000
    (loaded,) = load(other, delta)
    assert loaded.descriptor.digest == more.root.digest
    assert is_stored(other, more)


def test_a_partial_archive_for_another_store_names_missing_content(
    session: Session, other: Session
) -> None:
    base = random_image(layers=2, seed=1)
    more = _extended(base)
    put(session, more, "ghcr.io/octo/image:2")
    missing = [descriptor for descriptor, _ in base.blobs if "layer" in descriptor.media_type]
    delta = saved(session, "octo/image:2", without={d.digest for d in missing})
    with pytest.raises(BlobUnknownError) as caught:
        load(other, delta)
    for descriptor in missing:
        assert f"{descriptor.digest} ({descriptor.size} bytes)" in caught.value.message
    assert stored(other) == []
    assert other.store.records() == []


def _extended(base: Built) -> Built:
    """Return an image with the layers of another one, and one more."""
    top = random_image(layers=1, seed=9)
    body = json.loads(base.raw)
    extra = json.loads(top.raw)
    body["layers"] += extra["layers"]
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, base.root.media_type)
    return type(base)(root, (*base.contents[:-1], *top.contents[:1], (root, raw)))


def test_a_list_of_digests_names_known_content(session: Session, tmp_path: Path) -> None:
    image = random_image(seed=1)
    put(session, image, "ghcr.io/octo/image:1")
    listed = tmp_path / "have.txt"
    listed.write_bytes(image.raw)
    known = known_content(session, str(listed))
    assert known == {descriptor.digest for descriptor, _ in image.blobs}
    listed.write_text("nothing")
    with pytest.raises(UsageError, match="expected an image archive or a list") as caught:
        known_content(session, str(listed))
    assert str(listed) not in (caught.value.hint or "")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress], ids=lambda p: p.__name__)
def test_a_loaded_archive_names_known_content(
    session: Session, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    image = index_of(random_image(seed=1), random_image(seed=2, platform=ARM))
    put(session, image, "ghcr.io/octo/image:1")
    path = tmp_path / "keep.tar"
    path.write_bytes(pack(saved(session, "octo/image:1").read()))
    before = path.read_bytes()
    assert known_content(session, str(path)) == {d.digest for d, _ in image.contents}
    assert path.read_bytes() == before


def test_a_layout_names_known_content(session: Session, tmp_path: Path) -> None:
    image = random_image(seed=1)
    put(session, image, "ghcr.io/octo/image:1")
    save_directory(session, ["octo/image:1"], tmp_path / "octo")
    assert known_content(session, str(tmp_path / "octo")) == {d.digest for d, _ in image.contents}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=lambda p: p.__name__)
def test_a_docker_archive_names_the_content_that_loading_stores(
    session: Session, other: Session, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "docker.tar"
    path.write_bytes(pack(tar_of(docker_archive([layer(1), layer(2)], ["hello:1"]))))
    known = known_content(session, str(path))
    assert stored(session) == []
    load(other, path)
    assert known == set(stored(other))


def test_a_directory_without_images_is_read_as_a_name(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, random_image(seed=1), "hello:latest")
    (tmp_path / "hello").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(known_content(session, "hello")) == 4


def test_a_missing_manifest_is_named_too(session: Session, other: Session) -> None:
    image = random_image(seed=1)
    put(session, image, "ghcr.io/octo/image:1")
    put(session, index_of(image, random_image(seed=2)), "ghcr.io/octo/image:all")
    delta = saved(session, "octo/image:all", without=known_content(session, "octo/image:1"))
    with pytest.raises(BlobUnknownError, match=str(image.root.digest)):
        load(other, delta)
    assert stored(other) == []
