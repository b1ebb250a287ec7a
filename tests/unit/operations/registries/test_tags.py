"""Tags, digests and outdated images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    InvalidFilterError,
    ManifestUnknownError,
    PlatformNotFoundError,
    RefusedError,
)
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.registries.digest import digest_of
from ghcrctl.operations.registries.outdated import State, compare
from ghcrctl.operations.registries.tags import list_tags
from tests.builders import artifact, index_of, random_image
from tests.registry_double import Fault
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry, RegistryDouble

ARM = Platform("linux", "arm64")
ONE, TWO = random_image(seed=1), random_image(2, seed=2, platform=ARM)
BOTH = index_of(ONE, TWO)
HELPER = f"sha256-{'0' * 64}"


@pytest.fixture
def tagged(ghcr: RegistryDouble, session: Session) -> Session:
    for number in ("1.0", "1.10", "1.9", "2.0-rc1", "latest"):
        ghcr.push_image("octo/image", number, ONE)
    ghcr.push_image("octo/image", "2.0", BOTH)
    ghcr.push_image("octo/image", "chart", artifact())
    ghcr.push_image("octo/image", HELPER, artifact(payload=b"x"))
    ghcr.push_image("octo/image", f"{HELPER}.sig", artifact(payload=b"y"))
    return session


def tags(session: Session, ghcr: RegistryDouble, **options: object) -> list[str]:
    reference = name_at(ghcr, session, "octo/image")
    return [row.tag for row in list_tags(session, reference, **options)]  # type: ignore[arg-type]


def test_the_newest_version_comes_first_and_one_request_is_enough(
    ghcr: RegistryDouble, tagged: Session
) -> None:
    found = tags(tagged, ghcr)
    assert found == ["2.0", "2.0-rc1", "1.10", "1.9", "1.0", "chart", "latest"]
    assert ghcr.count("GET", "/manifests/") == 0
    assert tags(tagged, ghcr, sort="name")[:3] == ["1.0", "1.10", "1.9"]


def test_helper_tags_are_shown_on_request(ghcr: RegistryDouble, tagged: Session) -> None:
    assert HELPER not in tags(tagged, ghcr)
    assert {HELPER, f"{HELPER}.sig"} < set(tags(tagged, ghcr, helpers=True))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("name=1.*",), ["1.10", "1.9", "1.0"]),
        (("name=1.0", "name=la*"), ["1.0", "latest"]),
        (("version=>=1.9 <2",), ["1.10", "1.9"]),
        (("version=2", "name=*0"), ["2.0"]),
        (("name=none",), []),
    ],
)
def test_filters_select_tags(
    ghcr: RegistryDouble, tagged: Session, filters: tuple[str, ...], found: list[str]
) -> None:
    assert tags(tagged, ghcr, filters=filters) == found


@pytest.mark.parametrize("item", ["1.0", "colour=red", "version=latest"])
def test_an_invalid_filter_is_an_error(ghcr: RegistryDouble, tagged: Session, item: str) -> None:
    with pytest.raises(InvalidFilterError):
        tags(tagged, ghcr, filters=(item,))


def test_details_are_those_of_the_image_for_this_machine(
    ghcr: RegistryDouble, tagged: Session
) -> None:
    reference = name_at(ghcr, tagged, "octo/image")
    rows = {row.tag: row for row in list_tags(tagged, reference, details=True)}
    both = rows["2.0"]
    assert both.digest == BOTH.root.digest
    assert both.platforms == (Platform("linux", "amd64"), ARM)
    assert both.size == rows["1.0"].size > 0
    assert both.created
    assert rows["chart"].kind == "application/vnd.example.thing"
    assert all(row.error is None for row in rows.values())


def test_a_tag_that_cannot_be_read_does_not_hide_the_others(
    ghcr: RegistryDouble, tagged: Session
) -> None:
    ghcr.faults.append(Fault(path_contains="/manifests/1.9", status=404, times=9))
    reference = name_at(ghcr, tagged, "octo/image")
    rows = {row.tag: row for row in list_tags(tagged, reference, sort="size")}
    assert isinstance(rows["1.9"].error, ManifestUnknownError)
    assert rows["1.0"].digest == ONE.root.digest


def test_a_digest_is_resolved_without_a_download(ghcr: RegistryDouble, tagged: Session) -> None:
    name = name_at(ghcr, tagged, "octo/image:2.0")
    assert digest_of(tagged, name) == BOTH.root.digest
    assert sum(ghcr.downloads.values()) == 0
    assert digest_of(tagged, name, platform=ARM) == TWO.root.digest
    with pytest.raises(PlatformNotFoundError):
        digest_of(tagged, name, platform=Platform("plan9", "arm"))
    with pytest.raises(ManifestUnknownError):
        digest_of(tagged, name_at(ghcr, tagged, "octo/image:none"))
    with pytest.raises(RefusedError, match="local name"):
        digest_of(tagged, tagged.parse("hello"))


def test_a_registry_without_digest_headers_is_asked_for_the_manifest(
    plain_registry: PlainRegistry, session: Session
) -> None:
    plain_registry.push_image("octo/image", "1.0", ONE)
    plain_registry.faults.append(
        Fault(method="HEAD", path_contains="/manifests/", headers={"Docker-Content-Digest": ""})
    )
    name = session.parse(f"{plain_registry.host}/octo/image:1.0")
    assert digest_of(session, name) == ONE.root.digest


def test_outdated_and_current_images_are_distinguished(
    ghcr: RegistryDouble, tagged: Session
) -> None:
    for number in ("1.0", "1.9", "2.0", "latest"):
        pull(tagged, name_at(ghcr, tagged, f"octo/image:{number}"))
    mine = name_at(ghcr, tagged, "octo/mine:1")
    tag(tagged, str(name_at(ghcr, tagged, "octo/image:1.0")), [mine])
    tag(tagged, str(mine), [tagged.parse("hello")])
    ghcr.push_image("octo/image", "latest", TWO)
    ghcr.faults += [
        Fault(method="HEAD", path_contains="/image/manifests/1.9", status=404, times=9),
        Fault(method="HEAD", path_contains="/image/manifests/2.0", status=500, times=9),
    ]
    states = {one.reference.tag: one.state for one in compare(tagged)}
    assert states == {
        "1.0": State.CURRENT,
        "1.9": State.GONE,
        "2.0": State.UNKNOWN,
        "latest": State.OUTDATED,
        "1": State.NEVER_PUSHED,
    }
    assert [one.reference for one in compare(tagged, [mine])] == [mine]
    image = name_at(ghcr, tagged, "octo/image")
    assert len(compare(tagged, [image])) == 4
    assert sum(ghcr.downloads.values()) == 4
