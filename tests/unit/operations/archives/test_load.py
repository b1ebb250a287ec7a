"""Loading archives of all formats."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    BlobUnknownError,
    DigestMismatchError,
    IntegrityError,
    InvalidManifestError,
    NotFoundError,
    UsageError,
)
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_archive, save_directory, save_docker
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.store.index import write_index
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.archives import config_of, docker_archive, docker_layout, first_archive, layer, tar_of
from tests.builders import index_of, random_image
from tests.sessions import is_stored, session_on
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.index import ImageList
    from tests.builders import Built

LAYERS = [layer(1), layer(2)]
# A zstd frame without data, which may precede frames with data (RFC 8878, section 3.1.2).
SKIPPABLE = b"\x5e\x2a\x4d\x18" + (700).to_bytes(4, "little") + b"s" * 700
ARM = Platform("linux", "arm64")
GOOD = docker_archive(LAYERS)
CONFIG, FIRST = next(iter(GOOD)), next(path for path in GOOD if path.endswith("layer.tar"))


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
    execute(
        make_plan(memory, StorePlace(session.store), image.root, names=(name,), skip_foreign=True)
    )


def saved(session: Session, *names: str, **options: object) -> io.BytesIO:
    """Save images; return the archive."""
    buffer = io.BytesIO()
    save_archive(session, names, buffer.write, **options)  # type: ignore[arg-type]
    buffer.seek(0)
    return buffer


def manifest_of(session: Session, root: Descriptor) -> Manifest:
    """Read an image's manifest."""
    parsed = parse(read_metadata(session.store.blobs, root), root.media_type)
    assert isinstance(parsed, Manifest)
    return parsed


def stored(session: Session) -> list[Digest]:
    """Return all content of a store."""
    return list(session.store.blobs.all())


def test_an_archive_of_docker_becomes_an_image_that_can_be_pushed(session: Session) -> None:
    (loaded,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS))))
    assert loaded.name == "docker.io/octo/image:1.0"
    assert loaded.image_id == Digest.of(config_of(LAYERS))
    manifest = manifest_of(session, loaded.descriptor)
    assert manifest.descriptor.media_type == media_types.DOCKER_MANIFEST
    for descriptor, plain in zip(manifest.layers, LAYERS, strict=True):
        with session.store.blobs.open(descriptor) as file:  # type: ignore[attr-defined]
            assert gzip.decompress(file.read()) == plain
        assert descriptor.media_type == media_types.DOCKER_LAYER_GZIP


def test_layouts_of_dockers_classic_store_are_compressed_too(session: Session) -> None:
    (new,) = load(session, io.BytesIO(tar_of(docker_layout(LAYERS, "octo/image", "1.0"))))
    (old,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS))))
    assert new == old
    assert {d.media_type for d in manifest_of(session, new.descriptor).layers} == {
        media_types.DOCKER_LAYER_GZIP
    }


def test_layouts_that_containerd_writes_keep_their_digests(session: Session) -> None:
    files = docker_layout(LAYERS, "octo/image", "1.0")
    del files["repositories"]
    (loaded,) = load(session, io.BytesIO(tar_of(files)))
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert str(loaded.descriptor.digest) == entry["digest"]
    assert loaded.name == "docker.io/octo/image:1.0"


def test_the_same_archive_makes_the_same_digests(session: Session, other: Session) -> None:
    data = tar_of(docker_archive(LAYERS))
    (one,), (two,) = load(session, io.BytesIO(data)), load(other, io.BytesIO(data))
    assert one.descriptor == two.descriptor


def test_layers_are_compressed_with_zstd_on_request(session: Session) -> None:
    data = io.BytesIO(tar_of(docker_archive(LAYERS)))
    (loaded,) = load(session, data, compression=Compression.ZSTD)
    manifest = manifest_of(session, loaded.descriptor)
    assert manifest.descriptor.media_type == media_types.OCI_MANIFEST
    assert manifest.config.media_type == media_types.OCI_CONFIG
    assert {d.media_type for d in manifest.layers} == {media_types.OCI_LAYER_ZSTD}


def test_compressed_layers_keep_their_bytes(session: Session) -> None:
    files = docker_archive(LAYERS, packed=True)
    (loaded,) = load(session, io.BytesIO(tar_of(files)))
    packed = {Digest.of(data) for path, data in files.items() if path.endswith("layer.tar")}
    assert {d.digest for d in manifest_of(session, loaded.descriptor).layers} == packed


def test_dockers_first_archives_get_a_config(session: Session) -> None:
    data = tar_of(first_archive(LAYERS, "octo/old", "0.9"))
    (loaded,) = load(session, io.BytesIO(data))
    assert loaded.name == "docker.io/octo/old:0.9"
    manifest = manifest_of(session, loaded.descriptor)
    config = json.loads(read_metadata(session.store.blobs, manifest.config))
    assert config["rootfs"]["diff_ids"] == [str(Digest.of(data)) for data in LAYERS]
    assert [line["created_by"] for line in config["history"]] == [
        "/bin/sh -c step 0",
        "/bin/sh -c step 1",
    ]
    assert config["config"]["Env"] == ["A=1"]
    assert not {"id", "parent", "Size"} & config.keys()


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        (["hello:1"], ["hello:1"]),
        (
            ["octo/image:1", "ghcr.io/octo/image:2"],
            ["docker.io/octo/image:1", "ghcr.io/octo/image:2"],
        ),
        (["localhost:5000/a:b"], ["localhost:5000/a:b"]),
        (None, [""]),
        ([], [""]),
    ],
)
def test_names_are_read_as_in_docker(
    session: Session, tags: list[str] | None, names: list[str]
) -> None:
    loaded = load(session, io.BytesIO(tar_of(docker_archive(LAYERS, tags))))
    assert [image.name for image in loaded] == names


def test_a_name_can_be_given(session: Session) -> None:
    data = io.BytesIO(tar_of(docker_archive(LAYERS, ["a:1", "b:2"])))
    (loaded,) = load(session, data, name=session.parse("octo/mine"))
    assert loaded.name == "ghcr.io/octo/mine:latest"


def test_one_name_for_several_images_is_refused(session: Session) -> None:
    for number in (1, 2):
        put(session, random_image(seed=number), f"ghcr.io/octo/image:{number}")
    with pytest.raises(UsageError, match="2 images"):
        load(session, saved(session, "octo/image"), name=session.parse("octo/mine"))


def test_a_moved_name_is_reported(session: Session) -> None:
    (first,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS[:1]))))
    (second,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS))))
    (third,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS))))
    assert (first.replaced, second.replaced, third.replaced) == (None, first.image_id, None)


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zstd.compress,
        lambda data: SKIPPABLE + zstd.compress(data) + SKIPPABLE,
    ],
    ids=["plain", "gzip", "bzip2", "xz", "zstd", "skippable"],
)
@pytest.mark.parametrize("piped", [True, False])
def test_archives_may_have_any_compression(
    session: Session, tmp_path: Path, pack: Callable[[bytes], bytes], *, piped: bool
) -> None:
    data = pack(tar_of(docker_archive(LAYERS)))
    path = tmp_path / "archive"
    path.write_bytes(data)
    (loaded,) = load(session, io.BytesIO(data) if piped else path)
    assert loaded.image_id == Digest.of(config_of(LAYERS))
    assert not list((session.store.root / "ghcrctl" / "partial").iterdir())


@pytest.mark.parametrize(
    "image",
    [
        random_image(seed=1),
        random_image(format="docker", seed=1),
        random_image(foreign=True, seed=1),
        random_image(layers=0, seed=1),
        index_of(random_image(seed=1), random_image(seed=2, platform=ARM)),
    ],
    ids=["oci", "docker", "foreign", "empty", "index"],
)
def test_digests_are_kept_from_save_to_load(session: Session, other: Session, image: Built) -> None:
    put(session, image, "ghcr.io/octo/image:1.0")
    (loaded,) = load(other, saved(session, "octo/image:1.0"))
    assert (loaded.name, loaded.descriptor.digest) == ("ghcr.io/octo/image:1.0", image.root.digest)
    assert is_stored(other, image)


def test_a_directory_keeps_names_and_digests(
    session: Session, other: Session, tmp_path: Path
) -> None:
    images = {f"hello:{number}": random_image(seed=number) for number in (1, 2)}
    for name, image in images.items():
        put(session, image, name)
    for name in images:
        save_directory(session, [name], tmp_path / "layout")
    loaded = load(other, tmp_path / "layout")
    assert {i.name: i.descriptor.digest for i in loaded} == {
        name: image.root.digest for name, image in images.items()
    }


def test_some_platforms_are_loaded_as_a_smaller_index(session: Session, other: Session) -> None:
    images = [
        random_image(seed=n, platform=p) for n, p in enumerate(map(Platform.parse, _PLATFORMS))
    ]
    put(session, index_of(*images), "ghcr.io/octo/image:1.0")
    archive = saved(session, "octo/image:1.0")
    two = Selection(tuple(map(Platform.parse, _PLATFORMS[:2])))
    (loaded,) = load(other, archive, select=two)
    assert loaded.descriptor.is_index
    assert [is_stored(other, image) for image in images] == [True, True, False]


_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/s390x")


def test_foreign_layers_of_docker_archives_stay_foreign(session: Session) -> None:
    urls = ["https://example.com/layer"]
    foreign = Descriptor(media_types.DOCKER_FOREIGN_LAYER, Digest.of(b"packed"), 6, tuple(urls))
    sources = {str(Digest.of(LAYERS[0])): foreign.to_json()}
    (loaded,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS, LayerSources=sources))))
    first, second = manifest_of(session, loaded.descriptor).layers
    assert first == foreign
    assert session.store.blobs.exists(second)


def test_docker_archives_are_written_for_old_programs(session: Session, other: Session) -> None:
    (first,) = load(session, io.BytesIO(tar_of(docker_archive(LAYERS, ["hello:1"]))))
    buffer = io.BytesIO()
    save_docker(session, ["hello:1"], buffer.write)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        (entry,) = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
        unpacked = [archive.extractfile(path).read() for path in entry["Layers"]]  # type: ignore[union-attr]
    assert unpacked == LAYERS
    buffer.seek(0)
    (second,) = load(other, buffer)
    assert (second.name, second.descriptor) == ("hello:1", first.descriptor)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", IntegrityError),
        (b"no archive" * 100, IntegrityError),
        (bytes(10_240), IntegrityError),
        (tar_of({"etc/passwd": b"root"}), InvalidManifestError),
        (tar_of(GOOD)[:3000], IntegrityError),
        (gzip.compress(tar_of(GOOD))[:-20], IntegrityError),
        (tar_of({**GOOD, FIRST: layer(3)}), DigestMismatchError),
        (tar_of({**GOOD, FIRST: b"\x1f\x8bno gzip" * 99}), IntegrityError),
        (tar_of(docker_archive(LAYERS, Config=f"../{CONFIG}")), IntegrityError),
        (tar_of({k: v for k, v in GOOD.items() if k != FIRST}), InvalidManifestError),
        (tar_of({k: v for k, v in GOOD.items() if k != CONFIG}), BlobUnknownError),
        (tar_of(docker_archive(LAYERS, Layers=[FIRST])), InvalidManifestError),
        (tar_of(docker_archive(LAYERS, ["Not A Name"])), InvalidManifestError),
        (tar_of({**GOOD, "manifest.json": b"{}"}), InvalidManifestError),
        (tar_of({**GOOD, "manifest.json": b'[{"Config": 1}]'}), InvalidManifestError),
        (tar_of({"index.json": b"[]", "oci-layout": b"{}"}), InvalidManifestError),
        (tar_of({"repositories": b'{"a": {"b": "../../x"}}'}), InvalidManifestError),
    ],
)
def test_a_bad_archive_is_an_error_and_stores_nothing(
    session: Session, data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        load(session, io.BytesIO(data))
    assert stored(session) == []
    assert session.store.records() == []
    assert not list((session.store.root / "ghcrctl" / "partial").iterdir())


def test_a_layer_with_a_wrong_digest_is_refused_and_nothing_is_stored(
    session: Session, other: Session
) -> None:
    image = random_image(layers=3, seed=1)
    put(session, image, "hello:1")
    lie = image.blobs[1][0]
    files = {}
    with tarfile.open(fileobj=saved(session, "hello:1")) as archive:
        for member in archive.getmembers():
            if member.isfile():
                files[member.name] = archive.extractfile(member).read()  # type: ignore[union-attr]
    files[f"blobs/sha256/{lie.digest.encoded}"] = b"x" * lie.size
    with pytest.raises(DigestMismatchError):
        load(other, io.BytesIO(tar_of(files)))
    assert stored(other) == []


def test_a_missing_archive_is_an_error(session: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        load(session, tmp_path / "nothing")
    with pytest.raises(InvalidManifestError, match="not an image archive"):
        load(session, tmp_path)


def test_a_damaged_archive_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(gzip.compress(bytes(1024))[:-9])
    with session_on(tmp_path) as session, pytest.raises(IntegrityError) as caught:
        load(session, path)
    assert str(caught.value).count("cut.tar.gz") == 1


def test_many_names_write_the_list_of_images_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"ghcr.io/octo/tool:{number}" for number in range(50)]
    session.store.prepare()
    written: list[int] = []

    def count(path: Path, entries: list[dict[str, Any]], before: ImageList | None = None) -> None:
        written.append(len(entries))
        write_index(path, entries, before)

    monkeypatch.setattr("ghcrctl.store.store.write_index", count)
    found = load(session, io.BytesIO(tar_of(docker_archive(LAYERS, names))))
    assert [image.name for image in found] == names
    assert written == [50]


def test_no_image_gets_a_name_if_the_last_one_is_damaged(
    session: Session, other: Session, tmp_path: Path
) -> None:
    for number in (1, 2):
        put(session, random_image(seed=number), f"hello:{number}")
        save_directory(session, [f"hello:{number}"], tmp_path / "layout")
    config = session.store.records()[1].facts.image_id
    broken = tmp_path / "layout" / "blobs" / "sha256" / config.encoded
    broken.write_bytes(b"x" * broken.stat().st_size)
    with pytest.raises(IntegrityError, match=broken.name):
        load(other, tmp_path / "layout")
    assert other.store.records() == []
