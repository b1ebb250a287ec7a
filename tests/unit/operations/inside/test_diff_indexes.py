"""Differences between multi-platform images; equal means equal digests."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import PlatformNotFoundError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.inside.compare_indexes import PlatformChange
from ghcrctl.operations.inside.diff import Difference, diff
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.operations.moving.pull import pull
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, attested, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

AMD64, ARM64, S390X = (Platform("linux", name) for name in ("amd64", "arm64", "s390x"))
AMD, ARM, S390 = (random_image(platform=platform) for platform in (AMD64, ARM64, S390X))
NEW_AMD, NEW_ARM = (random_image(seed=7, platform=platform) for platform in (AMD64, ARM64))
BOTH = index_of(AMD, ARM)


@pytest.fixture(params=["local", "remote"])
def compared(request: pytest.FixtureRequest, session: Session, ghcr: RegistryDouble) -> Compared:
    return Compared(session, ghcr, is_remote=request.param == "remote")


class Compared:
    def __init__(self, session: Session, ghcr: RegistryDouble, *, is_remote: bool) -> None:
        self._session = session
        self._ghcr = ghcr
        self._is_remote = is_remote

    def __call__(
        self, one: Built, two: Built, platform: Platform | None = None, *, files: bool = False
    ) -> Difference:
        wanted = []
        for tag, built in (("1", one), ("2", two)):
            name = str(name_at(self._ghcr, self._session, f"octo/image:{tag}"))
            if self._is_remote:
                self._ghcr.push_image("octo/image", tag, built)
            else:
                memory = MemoryPlace()
                built.into(memory)
                place = StorePlace(self._session.store)
                execute(make_plan(memory, place, built.root, names=(name,)))
            wanted.append(ImageSelector(name, platform, is_remote=self._is_remote))
        found = diff(self._session, *wanted, files=files)
        assert found.is_empty == (found.before == found.after)
        assert found.is_empty == (not found.manifest)
        return found


def test_equal_indexes_are_equal(compared: Compared) -> None:
    found = compared(BOTH, BOTH, files=False)
    assert found.is_empty
    assert (found.before, found.is_of_indexes) == (BOTH.root.digest, True)
    assert (found.platforms, found.config, found.layers) == ([], [], [])
    assert found.platform == "linux/amd64"
    assert len(found.shared) == len(AMD.contents) - 2


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (BOTH, index_of(AMD), [("linux/arm64", ARM, None)]),
        (index_of(AMD), BOTH, [("linux/arm64", None, ARM)]),
        (BOTH, index_of(AMD, NEW_ARM), [("linux/arm64", ARM, NEW_ARM)]),
        (BOTH, index_of(NEW_AMD, ARM), [("linux/amd64", AMD, NEW_AMD)]),
        (BOTH, index_of(ARM), [("linux/amd64", AMD, None)]),
        (BOTH, index_of(S390, ARM), [("linux/amd64", AMD, None), ("linux/s390x", None, S390)]),
        (BOTH, AMD, [("linux/arm64", ARM, None)]),
        (AMD, BOTH, [("linux/arm64", None, ARM)]),
        (BOTH, NEW_AMD, [("linux/amd64", AMD, NEW_AMD), ("linux/arm64", ARM, None)]),
        (BOTH, index_of(ARM, AMD), []),
    ],
)
def test_platforms_that_differ_are_named(
    compared: Compared,
    one: Built,
    two: Built,
    expected: list[tuple[str, Built | None, Built | None]],
) -> None:
    found = compared(one, two)
    assert not found.is_empty
    assert found.platforms == [
        PlatformChange(name, _digest(first), _digest(second)) for name, first, second in expected
    ]
    assert found.manifest[0].field == "digest"


def _digest(built: Built | None) -> Digest | None:
    return None if built is None else built.root.digest


def test_config_and_layers_are_those_of_a_platform_that_both_have(compared: Compared) -> None:
    found = compared(BOTH, index_of(NEW_AMD, NEW_ARM))
    assert found.platform == "linux/amd64"
    assert found.layers
    found = compared(index_of(ARM), index_of(AMD, NEW_ARM))
    assert found.platform == "linux/arm64"
    found = compared(index_of(AMD), index_of(ARM))
    assert (found.platform, found.layers, found.config, found.files) == (None, [], [], None)
    with pytest.raises(PlatformNotFoundError, match="no platform in common"):
        compared(index_of(AMD), index_of(ARM), files=True)


def test_a_selected_platform_is_compared_alone(compared: Compared) -> None:
    two = index_of(AMD, NEW_ARM)
    found = compared(BOTH, two, AMD64)
    assert found.is_empty
    assert (found.before, found.is_of_indexes) == (AMD.root.digest, False)
    assert not compared(BOTH, two, ARM64).is_empty
    with pytest.raises(PlatformNotFoundError):
        compared(BOTH, index_of(AMD), ARM64)


def test_annotations_count(compared: Compared) -> None:
    raw = json.loads(BOTH.raw)
    changed = _with(BOTH, {**raw, "annotations": {"a": "b"}})
    found = compared(BOTH, changed)
    assert [(c.field, c.before, c.after) for c in found.manifest[1:]] == [
        ("annotation a", None, "b")
    ]
    assert found.platforms == []
    entries = [{**entry, "annotations": {"c": "d"}} for entry in raw["manifests"]]
    found = compared(BOTH, _with(BOTH, {**raw, "manifests": entries}))
    assert [c.field for c in found.manifest[1:]] == [
        "linux/amd64 annotation c",
        "linux/arm64 annotation c",
    ]


def _with(built: Built, data: dict[str, object]) -> Built:
    raw = json.dumps(data).encode()
    root = Descriptor.of(raw, built.root.media_type)
    return replace(built, root=root, contents=(*built.contents[:-1], (root, raw)))


def test_attestations_are_named_by_their_image(compared: Compared) -> None:
    one, two = attested(AMD), attested(NEW_AMD)
    names = [change.platform for change in compared(one, two).platforms]
    assert names[0] == "linux/amd64"
    assert all(name == "attestation of linux/amd64" for name in names[1:])


def test_a_pulled_platform_represents_its_index(session: Session, ghcr: RegistryDouble) -> None:
    name = name_at(ghcr, session, "octo/image:1")
    ghcr.push_image("octo/image", "1", BOTH)
    pull(session, name, select=Selection())
    here, there = ImageSelector(str(name)), ImageSelector(str(name), is_remote=True)
    assert diff(session, here, there).is_empty
    two = index_of(AMD, NEW_ARM)
    ghcr.push_image("octo/image", "1", two)
    found = diff(session, here, there)
    assert not found.is_empty
    assert (found.before, found.after) == (BOTH.root.digest, two.root.digest)
    assert (found.platforms, found.layers) == ([], [])
    ghcr.push_image("octo/image", "1", index_of(NEW_AMD, ARM))
    found = diff(session, there, here)
    assert [change.platform for change in found.platforms] == ["linux/amd64"]
    assert found.layers
