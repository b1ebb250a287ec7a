"""Copying between registries that follow the spec or behave like ghcr.io."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    GhcrctlError,
    ManifestUnknownError,
    RefusedError,
    RepositoryUnknownError,
    UsageError,
)
from ghcrctl.oci.manifest import parse_index
from ghcrctl.oci.media_types import DOCKER_LIST, DOCKER_MANIFEST
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.making.convert import Conversion
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.moving.copy import CopyOptions, OpenTarget, copy, copy_into
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from tests.builders import artifact, index_of, random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built

IMAGES = [
    random_image(2, seed=n, platform=Platform("linux", a))
    for n, a in enumerate(("amd64", "arm64", "s390x"))
]
INDEX = index_of(*IMAGES)


def at(registry: PlainRegistry, session: Session, text: str) -> Reference:
    return session.parse(f"{registry.host}/{text}")


def has_all(session: Session, reference: Reference, image: Built) -> bool:
    """Return whether a repository has the complete image, byte for byte."""
    place = session.source(reference)
    return all(
        place.open(descriptor).read(len(content) + 1) == content
        for descriptor, content in image.contents
        if len(content) < 1_000_000
    )


@pytest.mark.parametrize("image", [IMAGES[0], INDEX, artifact(), index_of(INDEX, IMAGES[0])])
def test_a_copy_is_identical_and_nothing_is_stored(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session, image: Built
) -> None:
    ghcr.push_image("octo/image", "1.0", image)
    source, target = name_at(ghcr, session), at(plain_registry, session, "octo/copy")
    done = copy(session, source, target)
    assert (done.target, done.descriptor.digest) == (target.with_tag("1.0"), image.root.digest)
    assert has_all(session, done.target, image)
    assert not session.settings.store_dir.exists()


def test_a_copy_by_digest_gets_no_tag_by_default(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    source = name_at(ghcr, session).with_digest(INDEX.root.digest)
    target = at(plain_registry, session, "octo/copy")
    assert str(copy(session, source, target).target).endswith(f"@{INDEX.root.digest}")
    assert list(session.repository(target).tags()) == []
    copy(session, source, target.with_tag("x"))
    assert list(session.repository(target).tags()) == ["x"]


def test_selected_platforms_make_a_smaller_index(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    source, target = name_at(ghcr, session), at(plain_registry, session, "octo/copy")
    two = (Platform("linux", "amd64"), Platform("linux", "s390x"))
    done = copy(session, source, target, select=Selection(two))
    assert done.descriptor.is_index
    assert has_all(session, done.target, IMAGES[0])
    assert has_all(session, done.target, IMAGES[2])
    assert plain_registry.count("PUT", f"/manifests/{IMAGES[1].root.digest}") == 0
    one = copy(session, source, target.with_tag("one"), select=Selection(two[:1]))
    assert one.descriptor.digest == IMAGES[0].root.digest


def test_within_a_registry_nothing_is_read_or_sent(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    copy(session, name_at(ghcr, session), name_at(ghcr, session, "octo/copy:2.0"))
    assert ghcr.count("GET", "/blobs/") == 0
    assert ghcr.count("PUT", "/blobs/") == 0
    assert has_all(session, name_at(ghcr, session, "octo/copy:2.0"), INDEX)


def test_a_registry_that_does_not_mount_gets_the_bytes(
    plain_registry: PlainRegistry, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_registry.backend, "mount", lambda *_: False)
    plain_registry.push_image("octo/image", "1.0", IMAGES[0])
    source = at(plain_registry, session, "octo/image:1.0")
    target = at(plain_registry, session, "octo/copy:1.0")
    copy(session, source, target)
    assert has_all(session, target, IMAGES[0])
    # If a mount request returns an upload instead, the bytes are sent to it.
    assert plain_registry.count("POST", "/octo/copy/blobs/uploads/") == len(IMAGES[0].blobs)


def test_another_tag_of_the_same_image_is_one_manifest(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGES[0])
    copy(session, name_at(ghcr, session), name_at(ghcr, session, "octo/image:2.0"))
    assert ghcr.count("PUT") == 1
    assert ghcr.count("POST") == 0


def test_a_broken_download_is_resumed(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    image = random_image(1, 3_000_000, seed=7)
    ghcr.push_image("octo/image", "1.0", image)
    layer = image.blobs[0][0].digest.encoded
    ghcr.faults.append(
        Fault(method="GET", path_contains=layer, host="storage", cut_after=1_000_000)
    )
    target = at(plain_registry, session, "octo/copy:1.0")
    copy(session, name_at(ghcr, session), target)
    assert plain_registry.count("PUT", "/octo/copy/manifests/1.0") == 1


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("octo/none:1", "octo/copy:1", RepositoryUnknownError),
        ("octo/image:none", "octo/copy:1", ManifestUnknownError),
        ("octo/image:1.0", f"octo/copy@sha256:{'0' * 64}", RefusedError),
    ],
)
def test_a_copy_that_is_not_possible_is_an_error(
    ghcr: RegistryDouble, session: Session, source: str, target: str, error: type[GhcrctlError]
) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    with pytest.raises(error):
        copy(session, name_at(ghcr, session, source), name_at(ghcr, session, target))


def test_local_names_are_refused(ghcr: RegistryDouble, session: Session) -> None:
    for source, target in (("hello", f"{ghcr.host}/octo/copy"), (f"{ghcr.host}/octo/image", "hi")):
        with pytest.raises(RefusedError, match="local name"):
            copy(session, session.parse(source), session.parse(target))


def test_a_copy_is_converted(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    source, target = name_at(ghcr, session), at(plain_registry, session, "octo/copy")
    copy_options = CopyOptions(conversion=Conversion(to=Format.DOCKER))
    end = RegistryEndpoint(target)
    with end.sink(session, dry_run=False) as sink:
        done = copy_into(session, RegistryEndpoint(source), OpenTarget(end, sink), copy_options)
    index = parse_index(
        read_metadata(session.repository(target), done.descriptor), done.descriptor.media_type
    )
    assert done.descriptor.media_type == DOCKER_LIST
    assert {entry.media_type for entry in index.manifests} == {DOCKER_MANIFEST}
    assert session.repository(target).digest_of("1.0") == done.descriptor.digest
    assert not list(session.settings.store_dir.glob("blobs/*/*"))


def test_referrers_are_not_copied_with_a_conversion(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", INDEX)
    end = RegistryEndpoint(at(plain_registry, session, "octo/copy"))
    copy_options = CopyOptions(referrers=True, conversion=Conversion(to=Format.DOCKER))
    with end.sink(session, dry_run=False) as sink, pytest.raises(UsageError, match="referrers"):
        copy_into(
            session, RegistryEndpoint(name_at(ghcr, session)), OpenTarget(end, sink), copy_options
        )
