"""Converting to the other format and recompressing layers; the files stay the same."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    InvalidManifestError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.layers.compression import Compression, detect
from ghcrctl.layers.unpack import unpack
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.convert import Conversion, convert
from ghcrctl.operations.making.media_formats import Format, layer_kind
from ghcrctl.transfer.events import Started
from tests.builders import Built, artifact, attested, index_of, random_image, rewritten
from tests.filesystems import file, image_of, tar

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.content.ports import Source
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Event

ARM = Platform("linux", "arm64")
TO_OCI, TO_DOCKER = Conversion(Format.OCI), Conversion(Format.DOCKER)
GZIP, ZSTD, PLAIN = (
    Conversion(compression=each) for each in (Compression.GZIP, Compression.ZSTD, Compression.NONE)
)
ATTESTATION = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": "",
}


def indented(built: Built) -> Built:
    """Return an image or index as docker writes it."""
    raw = json.dumps(json.loads(built.raw), indent=3).encode()
    root = Descriptor.of(raw, built.root.media_type)
    return Built(root, (*built.contents[:-1], (root, raw)))


class Conversions:
    """Converts images in memory."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._session = session
        self._folder = folder
        self.events: list[Event] = []

    def __call__(self, built: Built, *conversions: Conversion) -> tuple[Source, Descriptor]:
        memory = MemoryPlace()
        built.into(memory)
        place: Source = memory
        root = built.root
        for conversion in conversions:
            self._folder = self._folder / "next"
            self._folder.mkdir()
            place, root = convert(
                self._session, place, root, conversion, self._folder, self.events.append
            )
        return place, root


@pytest.fixture
def converted(session: Session, tmp_path: Path) -> Conversions:
    return Conversions(session, tmp_path)


def document(place: Source, descriptor: Descriptor) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_metadata(place, descriptor))
    return found


def image(place: Source, descriptor: Descriptor) -> Manifest:
    found = parse(read_metadata(place, descriptor), descriptor.media_type)
    assert isinstance(found, Manifest)
    return found


def index(place: Source, descriptor: Descriptor) -> Index:
    found = parse(read_metadata(place, descriptor), descriptor.media_type)
    assert isinstance(found, Index)
    return found


def stored(place: Source, layer: Descriptor) -> bytes:
    with Content(place, layer).open() as stream:
        return stream.read()


def diff_ids(place: Source, manifest: Manifest) -> list[str]:
    """Return the uncompressed content of the layers."""
    found = []
    for layer in manifest.layers:
        with Content(place, layer).open() as stream:
            found.append(str(Digest.of(b"".join(unpack(stream)))))
    return found


def test_an_image_gets_the_other_media_types_and_keeps_all_else(converted: Conversions) -> None:
    docker = random_image(2, format="docker")
    place, root = converted(docker, TO_OCI)
    new = image(place, root)
    old = parse(docker.raw)
    assert isinstance(old, Manifest)
    assert root.media_type == media_types.OCI_MANIFEST
    assert new.config == replace(old.config, media_type=media_types.OCI_CONFIG)
    assert new.layers == tuple(
        replace(each, media_type=media_types.OCI_LAYER_GZIP) for each in old.layers
    )


@pytest.mark.parametrize("there", [random_image(2, format="docker"), random_image(2)])
def test_a_conversion_back_and_forth_keeps_the_digest(converted: Conversions, there: Built) -> None:
    oci = there.root.media_type == media_types.OCI_MANIFEST
    back = (TO_DOCKER, TO_OCI) if oci else (TO_OCI, TO_DOCKER)
    assert converted(there, *back)[1] == there.root
    several = indented(index_of(there, format="oci" if oci else "docker"))
    assert converted(several, *back)[1] == several.root


@pytest.mark.parametrize("conversion", [TO_OCI, GZIP, Conversion(Format.OCI, Compression.GZIP)])
@pytest.mark.parametrize(
    "built",
    [
        random_image(2),
        index_of(random_image(2), random_image(1, platform=ARM)),
        attested(random_image(1)),
        rewritten(random_image(1), annotations={"a": "b"}, mediaType=None),
    ],
)
def test_an_unneeded_conversion_changes_nothing(
    converted: Conversions, conversion: Conversion, built: Built
) -> None:
    assert converted(built, conversion)[1] == built.root
    assert not converted.events


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD, Compression.NONE])
def test_recompressed_layers_have_the_same_content(
    converted: Conversions, compression: Compression
) -> None:
    plain = tar(file("a", b"a" * 5_000_000)), tar(file("b", b"b"))
    built = image_of(*plain, packed=plain, layer_type=media_types.OCI_LAYER)
    other = Compression.ZSTD if compression is Compression.GZIP else Compression.GZIP
    place, root = converted(built, Conversion(compression=other), Conversion(None, compression))
    new = image(place, root)
    assert {layer_kind(each.media_type).compression for each in new.layers} == {compression}  # type: ignore[union-attr]
    assert {detect(stored(place, each)[:6]) for each in new.layers} == {compression}
    assert diff_ids(place, new) == [str(Digest.of(data)) for data in plain]
    assert new.config == image(place, built.root).config
    # The order of the options does not matter.
    assert converted(built, Conversion(compression=compression))[1] == root


def test_the_same_compression_at_another_level_needs_force(converted: Conversions) -> None:
    built = image_of(tar(file("a", bytes(range(256)) * 9000)))
    assert converted(built, Conversion(compression=Compression.GZIP, level=9))[1] == built.root
    hard = Conversion(compression=Compression.GZIP, level=9, force=True)
    place, root = converted(built, hard)
    assert root != built.root
    assert converted(built, hard, hard)[1] == root
    assert diff_ids(place, image(place, root)) == diff_ids(place, image(place, built.root))
    with pytest.raises(UsageError, match="level 20: expected"):
        converted(built, Conversion(compression=Compression.GZIP, level=20))


def test_a_shared_layer_is_recompressed_once(converted: Conversions) -> None:
    shared = tar(file("a", b"a"))
    one = image_of(shared, shared, tar(file("b")))
    two = image_of(shared, tar(file("c")), config={"User": "2"})
    both = index_of(one, two)
    place, root = converted(both, ZSTD)
    started = [e.step.descriptor.digest for e in converted.events if isinstance(e, Started)]
    assert len(started) == len(set(started)) == 3
    first, second = (image(place, entry) for entry in index(place, root).manifests)
    assert first.layers[0] == first.layers[1] == second.layers[0]
    assert diff_ids(place, first)[0] == str(Digest.of(shared))


def test_annotations_of_compressed_bytes_are_dropped(converted: Conversions) -> None:
    built = image_of(tar(file("a")))
    [layer] = json.loads(built.raw)["layers"]
    layer["annotations"] = {
        "containerd.io/snapshot/stargz/toc.digest": "sha256:1",
        "io.github.containers.zstd-chunked.manifest-position": "1",
        "kept": "yes",
    }
    layer["urls"] = ["https://example.com/a"]
    layer["data"] = "AAAA"
    built = rewritten(built, layers=[layer])
    place, root = converted(built, ZSTD)
    [new] = document(place, root)["layers"]
    assert new["annotations"] == {"kept": "yes"}
    assert set(new) == {"mediaType", "digest", "size", "annotations"}
    # All annotations are kept as long as the bytes are the same.
    place, root = converted(rewritten(built, mediaType=None), TO_OCI)
    assert document(place, root)["layers"] == [layer]


def test_dropped_annotations_give_a_warning(converted: Conversions, warnings: list[str]) -> None:
    built = rewritten(
        index_of(rewritten(random_image(1), annotations={"a": "b"}, artifactType="x/y")),
        annotations={"c": "d"},
    )
    place, root = converted(built, TO_DOCKER)
    assert "annotations" not in document(place, root)
    [entry] = index(place, root).manifests
    assert set(document(place, entry)) == {"schemaVersion", "mediaType", "config", "layers"}
    assert entry.media_type == media_types.DOCKER_MANIFEST
    [warning] = warnings
    assert warning.endswith("annotations, artifactType")
    assert converted(built, TO_DOCKER, TO_DOCKER)[1] == root
    # An image that is in docker's format already keeps even fields that docker does not know.
    odd = rewritten(random_image(1, format="docker"), annotations={"a": "b"})
    for each in (odd, rewritten(index_of(odd, format="docker"), annotations={"c": "d"})):
        assert converted(each, TO_DOCKER)[1] == each.root


@pytest.mark.parametrize("conversion", [TO_DOCKER, ZSTD])
def test_attestations_are_kept_and_linked_to_the_new_image(
    converted: Conversions, conversion: Conversion, warnings: list[str]
) -> None:
    built = attested(random_image(2))
    place, root = converted(built, conversion)
    ours, statement = index(place, root).manifests
    old_ours, old_statement = index(place, built.root).manifests
    assert ours.digest != old_ours.digest
    assert (statement.digest, statement.media_type) == (
        old_statement.digest,
        old_statement.media_type,
    )
    assert statement.annotations == {
        **ATTESTATION,
        "vnd.docker.reference.digest": str(ours.digest),
    }
    assert statement.platform == Platform("unknown", "unknown")
    assert not warnings


def test_foreign_layers_are_not_changed(converted: Conversions) -> None:
    built = random_image(2, foreign=True)
    place, root = converted(built, Conversion(Format.DOCKER, Compression.NONE))
    foreign, own = image(place, root).layers
    old = image(place, built.root).layers[0]
    assert foreign == replace(old, media_type=media_types.DOCKER_FOREIGN_LAYER)
    assert own.media_type == "application/vnd.docker.image.rootfs.diff.tar"
    back = converted(built, Conversion(Format.DOCKER, Compression.GZIP), TO_OCI)
    assert back[1] == built.root


def test_docker_has_no_media_type_for_zstd(converted: Conversions) -> None:
    built = image_of(tar(file("a")))
    for steps in ((ZSTD, TO_DOCKER), (TO_DOCKER, ZSTD)):
        with pytest.raises(UnsupportedError, match="compressed with zstd") as caught:
            converted(built, *steps)
        assert "--compress gzip" in str(caught.value.hint)
    place, root = converted(built, ZSTD, Conversion(Format.DOCKER, Compression.GZIP))
    assert image(place, root).layers[0].media_type == media_types.DOCKER_LAYER_GZIP


def test_artifacts_are_unchanged_and_have_no_docker_format(converted: Conversions) -> None:
    thing = artifact()
    assert converted(thing, TO_OCI)[1] == thing.root
    assert converted(thing, ZSTD)[1] == thing.root
    with pytest.raises(UnsupportedError, match="not a container image"):
        converted(thing, TO_DOCKER)
    several = index_of(random_image(1), thing, platforms=(None, None))
    place, root = converted(several, ZSTD)
    assert index(place, root).manifests[1].digest == thing.root.digest


def test_embedded_content_of_the_index_is_dropped(converted: Conversions) -> None:
    built = index_of(random_image(1))
    [entry] = json.loads(built.raw)["manifests"]
    built = rewritten(built, manifests=[{**entry, "data": "AAAA", "x": "y"}])
    place, root = converted(built, ZSTD)
    [new] = document(place, root)["manifests"]
    assert set(new) == {*entry, "x"}


def test_an_encrypted_layer_is_not_changed(converted: Conversions) -> None:
    built = image_of(tar(file("a")), tar(file("b")))
    layers = json.loads(built.raw)["layers"]
    layers[1]["mediaType"] += "+encrypted"
    built = rewritten(built, layers=layers)
    place, root = converted(built, ZSTD)
    assert document(place, root)["layers"][1] == layers[1]
    with pytest.raises(UnsupportedError, match="encrypted"):
        converted(built, TO_DOCKER)


@pytest.mark.parametrize(
    ("built", "error"),
    [
        (image_of(tar(file("a")), diff_ids=["sha256:" + "0" * 64]), DigestMismatchError),
        (image_of(tar(file("a")), diff_ids=["sha256:" + "0" * 64] * 2), InvalidManifestError),
        (image_of(tar(file("a")), packed=[gzip.compress(tar(file("a")))[:-9]]), GhcrctlError),
    ],
)
def test_a_layer_with_a_wrong_diff_id_is_an_error(
    converted: Conversions, tmp_path: Path, built: Built, error: type[GhcrctlError]
) -> None:
    with pytest.raises(error):
        converted(built, ZSTD)
    assert not [path for path in tmp_path.rglob("*-*") if path.is_file()]


def test_repeated_indexes_are_converted_once(converted: Conversions) -> None:
    built = random_image(1)
    for _ in range(7):
        built = index_of(*[built] * 40, platforms=(None,) * 40)
    assert converted(built, TO_DOCKER)[1] != built.root


def test_indexes_nested_without_end_are_an_error(converted: Conversions) -> None:
    built = random_image(1)
    for _ in range(12):
        built = index_of(built, platforms=(None,))
    with pytest.raises(InvalidManifestError, match="nested"):
        converted(built, TO_DOCKER)
