"""Flattening: one layer with the files of all layers, for images at any place."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.layers.compression import Compression
from ghcrctl.layers.unpack import unpack
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.inside.export import export_archive
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
from ghcrctl.operations.making.indexes import IndexTarget, open_source, read_entries, read_manifest
from ghcrctl.operations.making.staged_layers import CompressionOptions
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.store.fsck import check
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import artifact, attested, index_of, random_image, rewritten
from tests.filesystems import directory, file, hard_link, image_of, special, symlink, tar
from tests.properties.test_filesystem_properties import USUAL_LAYERS
from tests.sessions import name_at, session_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.operations.common.session import Session
    from tests.filesystems import Entry
    from tests.registry_double import RegistryDouble

ARM = Platform("linux", "arm64")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SPARSE = {"GNU.sparse.size": "100000", "GNU.sparse.map": "0,1,50000,2"}
IMAGE = image_of(
    tar(
        directory("etc/", mode=0o750, uid=3),
        file("etc/gone", b"x"),
        file("etc/kept", b"old"),
        file("opaque/below", b"x"),
        file("tool", b"\x7fELF" * 999, mode=0o4755, uid=7, gid=8, mtime=1500000000),
    ),
    tar(
        file("etc/.wh.gone"),
        file("etc/kept", b"new", pax_headers={"SCHILY.xattr.user.note": "hello"}),
        file("opaque/.wh..wh..opq"),
        file("opaque/above", b"y"),
        hard_link("twin", "tool"),
        symlink("link", "etc/kept"),
        special("null", tarfile.CHRTYPE),
        file("sparse", b"abc", pax_headers=SPARSE),
    ),
    config={"Cmd": ["/tool"], "Env": ["A=b"]},
)
BOTH = index_of(random_image(3, seed=1), random_image(2, seed=2, platform=ARM))


@pytest.fixture(params=["registry", "store"])
def end(
    request: pytest.FixtureRequest, ghcr: RegistryDouble, session: Session
) -> Callable[[str], IndexTarget]:
    """Return images by their tags, at a registry or in the store."""
    ghcr.push_image("octo/image", "1.0", IMAGE)
    ghcr.push_image("octo/image", "both", BOTH)
    local = request.param == "store"
    if local:
        for tag in ("1.0", "both"):
            name = name_at(ghcr, session, f"octo/image:{tag}")
            pull(session, name, select=Selection(everything=True))
    return lambda text: IndexTarget(name_at(ghcr, session, f"octo/image:{text}"), local)


def config_of(session: Session, where: IndexTarget, manifest: Manifest) -> dict[str, Any]:
    place, _ = open_source(session, where)
    found: dict[str, Any] = json.loads(read_metadata(place, manifest.config))
    return found


def unpacked(session: Session, where: IndexTarget, manifest: Manifest) -> bytes:
    """Return the content of an image's only layer."""
    [layer] = manifest.layers
    place, _ = open_source(session, where)
    with Content(place, layer).open() as stream:
        return b"".join(unpack(stream))


def image_at(session: Session, where: IndexTarget) -> Manifest:
    manifest = read_manifest(session, where)
    assert isinstance(manifest, Manifest)
    return manifest


def exported(session: Session, where: IndexTarget) -> bytes:
    out = io.BytesIO()
    export_archive(
        session, ImageSelector(str(where.reference), is_remote=not where.local), out.write
    )
    return out.getvalue()


def test_the_layer_has_the_exported_files(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    before = image_at(session, end("1.0"))
    done = flatten_image(session, end("1.0"), end("flat"), FlattenOptions())
    made = done.descriptor
    assert done.end == end("flat")
    after = image_at(session, end("flat"))
    assert after.descriptor == made
    data = unpacked(session, end("flat"), after)
    assert data == exported(session, end("1.0")) == exported(session, end("flat"))
    old, new = (
        config_of(session, where, image)
        for where, image in ((end("1.0"), before), (end("flat"), after))
    )
    assert new["rootfs"] == {"type": "layers", "diff_ids": [str(Digest.of(data))]}
    assert new["history"] == [
        {
            "created_by": f"ghcrctl flatten {before.descriptor.digest}",
            "comment": "2 layers squashed",
        }
    ]
    changed = {"rootfs", "history"}
    assert {k: v for k, v in new.items() if k not in changed} == {
        k: v for k, v in old.items() if k not in changed
    }
    assert not check(session).faults


def test_files_keep_their_attributes(session: Session, end: Callable[[str], IndexTarget]) -> None:
    flatten_image(session, end("1.0"), end("flat"), FlattenOptions())
    data = unpacked(session, end("flat"), image_at(session, end("flat")))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {member.name: member for member in archive}
        kept, sparse = (archive.extractfile(members[name]) for name in ("etc/kept", "sparse"))
        assert kept
        assert kept.read() == b"new"
        assert sparse
        assert len(sparse.read()) == 100000
    assert not {"etc/gone", "opaque/below", "etc/.wh.gone", "opaque/.wh..wh..opq"} & set(members)
    tool = members["tool"]
    assert (tool.mode, tool.uid, tool.gid, tool.mtime) == (0o4755, 7, 8, 1500000000)
    assert members["twin"].islnk()
    assert members["twin"].linkname == "tool"
    assert members["null"].ischr()
    assert (members["etc"].uid, members["etc"].mode) == (3, 0o750)
    assert members["etc/kept"].pax_headers == {"SCHILY.xattr.user.note": "hello"}


@pytest.mark.parametrize(
    ("compression", "media_type"),
    [
        (Compression.GZIP, media_types.OCI_LAYER_GZIP),
        (Compression.ZSTD, media_types.OCI_LAYER_ZSTD),
        (Compression.NONE, media_types.OCI_LAYER),
    ],
)
def test_the_layer_is_compressed_reproducibly(
    session: Session, end: Callable[[str], IndexTarget], compression: Compression, media_type: str
) -> None:
    flattening = FlattenOptions(CompressionOptions(compression))
    made = flatten_image(session, end("1.0"), end("flat"), flattening).descriptor
    image = image_at(session, end("flat"))
    assert image.layers[0].media_type == media_type
    assert unpacked(session, end("flat"), image) == exported(session, end("1.0"))
    assert flatten_image(session, end("1.0"), end("again"), flattening).descriptor == made
    # Flattening again changes nothing.
    assert flatten_image(session, end("flat"), end("flat"), flattening).descriptor == made


def test_the_result_is_the_same_at_every_place(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    ghcr.push_image("octo/other", "7", IMAGE)
    one, two = (name_at(ghcr, session, name) for name in ("octo/image:1.0", "octo/other:7"))
    pull(session, one)
    made = {
        flatten_image(session, source, target, FlattenOptions()).digest
        for source, target in (
            (IndexTarget(one), IndexTarget(one)),
            (IndexTarget(two), None),
            (
                IndexTarget(one, local=True),
                IndexTarget(session.parse("local").tagged(), local=True),
            ),
        )
    }
    assert len(made) == 1


def test_each_image_of_an_index_is_flattened_without_attestations(
    session: Session, ghcr: RegistryDouble, warnings: list[str]
) -> None:
    ghcr.push_image("octo/image", "1.0", attested(random_image(2)))
    where = IndexTarget(name_at(ghcr, session))
    made = flatten_image(session, where, None, FlattenOptions(), replace=True).descriptor
    [(entry, flat)] = read_entries(session, where)
    assert read_manifest(session, where).descriptor == made
    assert isinstance(flat, Manifest)
    assert len(flat.layers) == 1
    assert str(entry.platform) == "linux/amd64"
    assert [text for text in warnings if "attestation" in text]
    # A flat image needs no change, so its attestations are kept.
    assert flatten_image(session, where, None, FlattenOptions(), replace=True).descriptor == made


def test_selected_images_of_an_index_are_flattened(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    flatten_image(session, end("both"), end("all"), FlattenOptions())
    entries = read_entries(session, end("all"))
    assert [str(e.platform) for e, _ in entries] == ["linux/amd64", "linux/arm64"]
    for _, image in entries:
        assert isinstance(image, Manifest)
        assert len(image.layers) == 1
    flatten_image(session, end("both"), end("arm"), FlattenOptions(platforms=(ARM,)))
    assert config_of(session, end("arm"), image_at(session, end("arm")))["architecture"] == "arm64"
    both = FlattenOptions(platforms=(ARM, Platform("linux", "amd64")))
    flatten_image(session, end("both"), end("two"), both)
    assert isinstance(read_manifest(session, end("two")), Index)


def test_the_creation_time_may_be_given(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    flattening = FlattenOptions(message="why", created=MOMENT)
    flatten_image(session, end("both"), end("new"), replace(flattening, platforms=(ARM,)))
    config = config_of(session, end("new"), image_at(session, end("new")))
    assert config["created"] == config["history"][0]["created"] == "2026-01-02T03:04:05Z"
    assert config["history"][0]["comment"] == "why"
    flatten_image(session, end("both"), end("old"), FlattenOptions(platforms=(ARM,)))
    config = config_of(session, end("old"), image_at(session, end("old")))
    assert config["created"] == config["history"][0]["created"] == "2024-01-02T03:04:05Z"


def test_annotations_of_the_base_are_dropped(session: Session, ghcr: RegistryDouble) -> None:
    based = {f"org.opencontainers.image.base.{end}": "x" for end in ("name", "digest")}
    built = rewritten(IMAGE, annotations={**based, "kept": "yes"})
    ghcr.push_image("octo/image", "1.0", built)
    where = IndexTarget(name_at(ghcr, session))
    flatten_image(session, where, None, FlattenOptions(), replace=True)
    assert image_at(session, where).annotations == {"kept": "yes"}


def test_docker_images_stay_docker_images(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2, format="docker"))
    where = IndexTarget(name_at(ghcr, session))
    with pytest.raises(UnsupportedError, match="zstd") as caught:
        flatten_image(session, where, None, FlattenOptions(CompressionOptions(Compression.ZSTD)))
    assert "--to oci" in str(caught.value.hint)
    made = flatten_image(session, where, None, FlattenOptions(), replace=True).descriptor
    assert made.media_type == media_types.DOCKER_MANIFEST
    [layer] = image_at(session, where).layers
    assert layer.media_type == media_types.DOCKER_LAYER_GZIP
    assert not session.settings.store_dir.exists()


def test_invalid_changes_are_errors_and_set_no_name(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    ghcr.push_image("octo/image", "bad", image_of(tar(file("a")), diff_ids=["sha256:" + "0" * 64]))
    ghcr.push_image("octo/image", "thing", artifact())
    here = {
        tag: IndexTarget(name_at(ghcr, session, f"octo/image:{tag}"))
        for tag in ("1.0", "bad", "thing")
    }
    pinned = IndexTarget(here["1.0"].reference.with_digest(IMAGE.root.digest))
    failures: list[tuple[IndexTarget, IndexTarget | None, type[GhcrctlError]]] = [
        (here["bad"], here["1.0"], DigestMismatchError),
        (here["thing"], here["1.0"], UnsupportedError),
        (here["1.0"], pinned, UsageError),
    ]
    for source, target, error in failures:
        with pytest.raises(error):
            flatten_image(session, source, target, FlattenOptions())
    assert ghcr.count("PUT", "/manifests/1.0") == 0
    with pytest.raises(UsageError, match="level 33: expected"):
        CompressionOptions(Compression.ZSTD, 33)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(layers=USUAL_LAYERS)
def test_any_files_equal_those_of_an_export(
    tmp_path_factory: pytest.TempPathFactory, layers: list[list[Entry]]
) -> None:
    memory = MemoryPlace()
    built = image_of(*(tar(*layer) for layer in layers)).into(memory)
    with session_on(tmp_path_factory.mktemp("home")) as session:
        execute(make_plan(memory, StorePlace(session.store), built.root, names=("any:1",)))
        any_, flat = (IndexTarget(session.parse(name), local=True) for name in ("any:1", "flat:1"))
        try:
            expected = exported(session, any_)
        except GhcrctlError:
            with pytest.raises(GhcrctlError):
                flatten_image(session, any_, flat, FlattenOptions())
            return
        flatten_image(session, any_, flat, FlattenOptions())
        assert unpacked(session, flat, image_at(session, flat)) == expected
        assert exported(session, flat) == expected
