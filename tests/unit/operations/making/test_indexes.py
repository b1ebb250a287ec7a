"""Creating and changing indexes at a registry and in the local store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    GhcrctlError,
    ManifestUnknownError,
    PlatformNotFoundError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import Index
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.index_entries import EntryChange
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.making.indexes import (
    IndexTarget,
    add_to_index,
    annotate_index,
    create_index,
    parse_index_target,
    read_entries,
    read_manifest,
    remove_from_index,
)
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.store.fsck import check
from tests.builders import Built, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry, RegistryDouble

AMD, ARM, S390 = (Platform("linux", name) for name in ("amd64", "arm64", "s390x"))
IMAGES = {
    p.architecture: random_image(1, seed=n, platform=p) for n, p in enumerate((AMD, ARM, S390))
}


@pytest.fixture(params=["registry", "store"])
def end(
    request: pytest.FixtureRequest, ghcr: RegistryDouble, session: Session
) -> Callable[[str], IndexTarget]:
    """Return images by their tags, at a registry or in the store."""
    for architecture, image in IMAGES.items():
        ghcr.push_image("octo/image", architecture, image)
    local = request.param == "store"
    if local:
        for architecture in IMAGES:
            pull(session, name_at(ghcr, session, f"octo/image:{architecture}"))
    return lambda text: IndexTarget(name_at(ghcr, session, f"octo/image:{text}"), local)


def platforms(session: Session, where: IndexTarget) -> list[str]:
    index = read_manifest(session, where)
    assert isinstance(index, Index)
    return [str(platform) for platform in index.platforms]


def test_an_index_lists_images_for_their_platforms(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    made = create_index(session, end("all"), [end("amd64"), end("arm64")], annotations={"a": "b"})
    index = read_manifest(session, end("all"))
    assert index.descriptor == made
    assert index.annotations == {"a": "b"}
    assert platforms(session, end("all")) == ["linux/amd64", "linux/arm64"]
    parsed = [manifest.descriptor.digest for _, manifest in read_entries(session, end("all"))]
    assert parsed == [IMAGES["amd64"].root.digest, IMAGES["arm64"].root.digest]
    assert not check(session).faults


def test_an_index_of_an_index_lists_its_images(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    create_index(session, end("two"), [end("amd64"), end("arm64")], annotations={})
    create_index(session, end("all"), [end("two"), end("s390x")], annotations={})
    assert platforms(session, end("all")) == ["linux/amd64", "linux/arm64", "linux/s390x"]


def test_entries_are_added_and_removed(session: Session, end: Callable[[str], IndexTarget]) -> None:
    create_index(session, end("all"), [end("amd64"), end("arm64")], annotations={"a": "b"})
    add_to_index(session, end("all"), [end("s390x"), end("arm64")])
    assert platforms(session, end("all")) == ["linux/amd64", "linux/s390x", "linux/arm64"]
    remove_from_index(session, end("all"), ["linux/amd64", str(IMAGES["arm64"].root.digest)])
    assert platforms(session, end("all")) == ["linux/s390x"]
    assert read_manifest(session, end("all")).annotations == {"a": "b"}
    with pytest.raises(UsageError, match="cannot remove the last image of"):
        remove_from_index(session, end("all"), ["linux/s390x"])
    with pytest.raises(PlatformNotFoundError) as caught:
        remove_from_index(session, end("all"), ["linux/amd64"])
    assert caught.value.hint == "its entries: linux/s390x"
    assert not check(session).faults


def test_attestations_are_removed_with_an_entry(ghcr: RegistryDouble, session: Session) -> None:
    index = json.loads(index_of(*IMAGES.values()).raw)
    helper = {
        **IMAGES["s390x"].root.to_json(),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": str(IMAGES["arm64"].root.digest),
        },
    }
    index["manifests"][2] = helper
    ghcr.push_image("octo/image", "s390x", IMAGES["s390x"])
    for architecture, image in IMAGES.items():
        ghcr.push_image("octo/image", architecture, image)
    raw = json.dumps(index).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    ghcr.push_image("octo/image", "all", Built(root, ((root, raw),)))
    where = IndexTarget(name_at(ghcr, session, "octo/image:all"))
    remove_from_index(session, where, ["linux/arm64"])
    left = read_manifest(session, where).children
    assert [entry.digest for entry in left] == [IMAGES["amd64"].root.digest]


def test_annotations_are_set_and_removed(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    create_index(session, end("all"), [end("amd64"), end("arm64")], annotations={"a": "b"})
    annotate_index(session, end("all"), "", EntryChange({"c": "d", "a": ""}))
    annotate_index(
        session,
        end("all"),
        "linux/arm64",
        EntryChange({"e": "f"}, Platform("linux", "arm64", "v8")),
    )
    annotate_index(
        session,
        end("all"),
        str(IMAGES["amd64"].root.digest),
        EntryChange({}, Platform("windows", "amd64"), "10.0.20348.1"),
    )
    index = read_manifest(session, end("all"))
    assert index.annotations == {"c": "d"}
    first, second = index.children
    assert first.platform == Platform("windows", "amd64", os_version="10.0.20348.1")
    assert second.annotations == {"e": "f"}
    assert str(second.platform) == "linux/arm64/v8"


def test_docker_images_make_a_docker_index(ghcr: RegistryDouble, session: Session) -> None:
    for number, platform in enumerate((AMD, ARM)):
        image = random_image(1, seed=number, platform=platform, format="docker")
        ghcr.push_image("octo/docker", platform.architecture, image)
    ends = [
        IndexTarget(name_at(ghcr, session, f"octo/docker:{name}")) for name in ("amd64", "arm64")
    ]
    target = IndexTarget(name_at(ghcr, session, "octo/docker:all"))
    made = create_index(session, target, ends, annotations={})
    assert made.media_type == media_types.DOCKER_LIST
    annotated = annotate_index(session, target, "", EntryChange({"a": "b"}))
    assert annotated.media_type == media_types.OCI_INDEX


def test_images_at_other_places_are_copied(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    for architecture, image in IMAGES.items():
        plain_registry.push_image("octo/other", architecture, image)
        ghcr.push_image("octo/image", architecture, image)
    sources = [
        parse_index_target(session, f"{plain_registry.host}/octo/other:amd64", local=False),
        parse_index_target(session, f"{ghcr.host}/octo/image:arm64", local=False),
    ]
    target = parse_index_target(session, f"{ghcr.host}/octo/all:1", local=False)
    create_index(session, target, sources, annotations={})
    place = session.source(target.reference)
    for architecture in ("amd64", "arm64"):
        for descriptor, content in IMAGES[architecture].contents:
            assert place.open(descriptor).read(len(content) + 1)[:10] == content[:10]
    # Content at the same registry is mounted.
    assert ghcr.count("PUT", "/octo/all/blobs/") == len(IMAGES["amd64"].blobs)
    assert not session.settings.store_dir.exists()


def test_an_invalid_index_is_an_error(session: Session, end: Callable[[str], IndexTarget]) -> None:
    with pytest.raises(UsageError, match="at least one image"):
        create_index(session, end("all"), [], annotations={})
    with pytest.raises(UsageError, match="two images are for linux/amd64"):
        create_index(session, end("all"), [end("amd64"), end("amd64")], annotations={})
    with pytest.raises(UnsupportedError, match="an image, not an index"):
        add_to_index(session, end("amd64"), [end("arm64")])
    with pytest.raises(GhcrctlError) as caught:
        create_index(session, end("all"), [end("none")], annotations={})
    assert caught.value.exit_status == ManifestUnknownError.exit_status
    with pytest.raises(GhcrctlError):
        read_manifest(session, end("all"))


def test_a_local_name_is_in_the_store(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGES["amd64"])
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [session.parse("one")])
    assert parse_index_target(session, "one", local=False).local
    create_index(
        session,
        parse_index_target(session, "all", local=False),
        [parse_index_target(session, "one", local=False)],
        annotations={},
    )
    assert platforms(session, parse_index_target(session, "all", local=True)) == ["linux/amd64"]
