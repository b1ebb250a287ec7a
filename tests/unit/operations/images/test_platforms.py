"""Sizes of an image's platforms, how they are shown, and their removal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.format.image_trees import as_json, as_text
from ghcrctl.cli.format.style import PLAIN
from ghcrctl.cli.format.units import Measure
from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import NoSuchImageError, PlatformNotFoundError, RefusedError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import parse_index
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.platforms import read_parts, stored_size
from ghcrctl.operations.images.remove_platforms import remove_platforms
from ghcrctl.operations.images.tree import image_trees
from ghcrctl.operations.store.fsck import check
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, artifact, attested, index_of, random_image, rewritten
from tests.sessions import is_stored, session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
WINDOWS = Platform("windows", "amd64", os_version="10.0.20348.1")
IMAGES = {
    platform: random_image(platform=platform, seed=number)
    for number, platform in enumerate((AMD64, ARM64, WINDOWS))
}
INDEX = index_of(*IMAGES.values())
NAME = "ghcr.io/octo/image:1.0"
MEASURE = Measure(datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def put(session: Session, image: Built, *names: str) -> None:
    memory = MemoryPlace()
    image.into(memory)
    execute(make_plan(memory, StorePlace(session.store), image.root, names=names))
    # Use another process than the one that stored it.
    session.store.close()


def size_of(image: Built) -> int:
    return sum(descriptor.size for descriptor, _ in image.contents)


def memory_of(*images: Built) -> MemoryPlace:
    place = MemoryPlace()
    for image in images:
        image.into(place)
    return place


def with_predicates(image: Built, *predicates: str) -> Built:
    """Set the predicate types in an image's attestation, as buildx does."""
    index = attested(image)
    documents = dict(index.contents)
    entry = parse_index(index.raw, index.root.media_type).manifests[1]
    body = json.loads(next(raw for d, raw in documents.items() if d.digest == entry.digest))
    layer = body["layers"][0]
    body["layers"] = [
        {**layer, "annotations": {"in-toto.io/predicate-type": text}} for text in predicates
    ]
    raw = json.dumps(body).encode()
    made = replace(entry, digest=Descriptor.of(raw, "").digest, size=len(raw))
    top = json.loads(index.raw)
    top["manifests"][1] = made.to_json()
    root = json.dumps(top).encode()
    contents = [pair for pair in index.contents[:-1] if pair[0].digest != entry.digest]
    descriptor = Descriptor.of(root, index.root.media_type)
    return Built(descriptor, (*contents, (made, raw), (descriptor, root)))


def test_each_platform_has_its_own_size(session: Session) -> None:
    part = read_parts(session, memory_of(INDEX), INDEX.root)
    assert [(image.what, image.size) for image in part.images()] == [
        (str(platform), size_of(image)) for platform, image in IMAGES.items()
    ]
    assert part.size == size_of(INDEX)


def test_stored_bytes_are_counted_by_blob(session: Session) -> None:
    put(session, IMAGES[ARM64], "hello:1")
    images = read_parts(session, memory_of(INDEX), INDEX.root).images()
    assert [stored_size(session, image) for image in images] == [0, size_of(IMAGES[ARM64]), 0]


@pytest.mark.parametrize(
    ("predicates", "what"),
    [
        (("https://spdx.dev/Document",), "attestation (SBOM)"),
        (
            ("https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2"),
            "attestation (SBOM, provenance)",
        ),
        (("https://example.com/custom",), "attestation (https://example.com/custom)"),
        ((), "attestation"),
    ],
)
def test_attestations_are_attached_to_their_image(
    session: Session, predicates: tuple[str, ...], what: str
) -> None:
    image = random_image(seed=1)
    index = with_predicates(image, *predicates) if predicates else attested(image)
    part = read_parts(session, memory_of(index), index.root)
    (child,) = part.parts
    assert (child.what, [inner.what for inner in child.parts]) == ("linux/amd64", [what])
    assert len(part.images()) == 1


@pytest.mark.parametrize(
    ("built", "what", "images"),
    [(random_image(seed=1), "linux/amd64", 1), (artifact(), "application/vnd.example.thing", 0)],
)
def test_an_artifact_shows_its_type(session: Session, built: Built, what: str, images: int) -> None:
    part = read_parts(session, memory_of(built), built.root)
    assert (part.what, len(part.images())) == (what, images)


def test_the_tree_shows_names_platforms_and_shared_size(session: Session) -> None:
    put(session, INDEX, NAME, "hello:1")
    put(session, IMAGES[ARM64], "arm:1")
    trees = image_trees(session, list_images(session, sort="name"))
    by_names = {tree.names: tree for tree in trees}
    whole, single = by_names["ghcr.io/octo/image:1.0", "hello:1"], by_names["arm:1",]
    assert whole.unique == size_of(INDEX) - size_of(IMAGES[ARM64])
    assert single.unique == 0
    lines = as_text([whole], PLAIN, MEASURE, full=False).splitlines()
    assert [line.split()[0] for line in lines] == ["IMAGE", NAME, "hello:1", "├──", "├──", "└──"]
    assert [line.split()[1] for line in lines[3:]] == list(map(str, IMAGES))
    assert all(line == line.rstrip() for line in lines)
    document = json.loads(as_json([whole]))
    assert [part["Size"] for part in document["Parts"]] == list(map(size_of, IMAGES.values()))
    assert document["Names"] == [NAME, "hello:1"]


def test_a_damaged_image_is_shown_as_damaged(session: Session) -> None:
    put(session, INDEX, NAME)
    session.store.blobs.path(IMAGES[ARM64].root.digest).unlink()
    (tree,) = image_trees(session, list_images(session))
    assert tree.root.what == "damaged"
    assert "(damaged)" in as_text([tree], PLAIN, MEASURE, full=False)


def test_a_platform_is_removed_with_its_own_content(session: Session) -> None:
    put(session, INDEX, NAME)
    put(session, IMAGES[WINDOWS], "windows:1")
    reduced = remove_platforms(session, NAME, (ARM64,))
    assert reduced.names == (NAME,)
    (record,) = (r for r in session.store.records() if r.name == NAME)
    raw = session.store.blobs.path(reduced.digest).read_bytes()
    assert record.descriptor.digest == reduced.digest
    left = parse_index(raw, record.descriptor.media_type)
    assert left.platforms == (AMD64, WINDOWS)
    gone = {descriptor.digest for descriptor, _ in IMAGES[ARM64].contents}
    assert set(reduced.deleted) == gone | {INDEX.root.digest}
    assert is_stored(session, IMAGES[AMD64])
    assert is_stored(session, IMAGES[WINDOWS])
    assert not check(session).faults


def test_other_names_keep_the_whole_image(session: Session) -> None:
    put(session, INDEX, NAME, "hello:1")
    reduced = remove_platforms(session, "hello:1", (ARM64, WINDOWS))
    assert reduced.deleted == ()
    by_name = {record.name: record.descriptor.digest for record in session.store.records()}
    assert by_name == {NAME: INDEX.root.digest, "hello:1": reduced.digest}


def test_attestations_are_removed_with_their_image(session: Session) -> None:
    image = random_image(seed=1)
    both = attested(image)
    entries = [*json.loads(both.raw)["manifests"], json.loads(INDEX.raw)["manifests"][1]]
    raw = json.dumps({**json.loads(both.raw), "manifests": entries}).encode()
    root = Descriptor.of(raw, both.root.media_type)
    put(session, Built(root, (*both.contents[:-1], *IMAGES[ARM64].contents, (root, raw))), NAME)
    reduced = remove_platforms(session, NAME, (AMD64,))
    left = parse_index(session.store.blobs.path(reduced.digest).read_bytes(), root.media_type)
    assert [entry.digest for entry in left.manifests] == [IMAGES[ARM64].root.digest]


@pytest.mark.parametrize(
    ("text", "platforms", "error"),
    [
        (NAME, (AMD64, ARM64, WINDOWS), RefusedError),
        (NAME, (Platform("plan9", "mips"),), PlatformNotFoundError),
        ("single:1", (AMD64,), RefusedError),
        ("nothing:1", (AMD64,), NoSuchImageError),
    ],
)
def test_platforms_that_cannot_be_removed_are_kept(
    session: Session, text: str, platforms: tuple[Platform, ...], error: type[Exception]
) -> None:
    put(session, INDEX, NAME)
    put(session, random_image(seed=9), "single:1")
    before = session.store.records()
    with pytest.raises(error):
        remove_platforms(session, text, platforms)
    assert session.store.records() == before
    assert is_stored(session, INDEX)


def test_only_the_named_platform_is_removed(session: Session) -> None:
    v6, v5 = Platform("linux", "arm", "v6"), Platform("linux", "arm", "v5")
    images = [random_image(platform=p, seed=n) for n, p in enumerate((AMD64, v6, v5))]
    put(session, index_of(*images), NAME)
    with pytest.raises(PlatformNotFoundError):
        remove_platforms(session, NAME, (Platform("linux", "arm", "v7"),))
    remove_platforms(session, NAME, (v5,))
    assert is_stored(session, images[1])
    assert not is_stored(session, images[2])


def test_a_platform_that_shares_the_image_is_kept(session: Session) -> None:
    image = random_image(seed=1)
    put(session, index_of(image, image, platforms=(AMD64, Platform("linux", "386"))), NAME)
    reduced = remove_platforms(session, NAME, (Platform("linux", "386"),))
    raw = session.store.blobs.path(reduced.digest).read_bytes()
    assert parse_index(raw, INDEX.root.media_type).platforms == (AMD64,)
    assert is_stored(session, image)


def test_every_os_version_is_removed_unless_one_is_named(session: Session) -> None:
    versions = [Platform("windows", "amd64", os_version=f"10.0.{n}") for n in (1, 2)]
    images = [random_image(platform=p, seed=n) for n, p in enumerate((AMD64, *versions))]
    put(session, index_of(*images), NAME, "hello:1")
    remove_platforms(session, NAME, (versions[0],))
    remove_platforms(session, "hello:1", (Platform("windows", "amd64"),))
    assert is_stored(session, images[2])
    left = [
        parse_index(
            session.store.blobs.path(r.descriptor.digest).read_bytes(), r.descriptor.media_type
        ).platforms
        for r in session.store.records()
    ]
    assert sorted(map(len, left)) == [1, 2]


def test_indexes_of_the_same_indexes_are_read_once(session: Session) -> None:
    nested = index_of(IMAGES[AMD64])
    for _ in range(6):
        below = [nested] * 8
        nested = index_of(*below, platforms=(None,) * 8)
    part = read_parts(session, memory_of(nested), nested.root)
    assert part.size == size_of(nested)


def test_a_manifest_that_attests_itself_is_shown(session: Session) -> None:
    image = random_image(seed=1)
    entries = json.loads(index_of(image).raw)["manifests"]
    entries[0]["annotations"] = {"vnd.docker.reference.digest": str(image.root.digest)}
    index = rewritten(index_of(image), manifests=entries)
    assert len(read_parts(session, memory_of(index), index.root).parts) == 1
