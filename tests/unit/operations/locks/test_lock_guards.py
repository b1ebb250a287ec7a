"""Guards of the lock commands: subsets of platforms, and invalid names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import NotFoundError, PlatformNotFoundError, UsageError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.lock import add, remove, resolve, update
from ghcrctl.operations.locks.lock_file import read_pins
from ghcrctl.operations.locks.pull import pull_pin
from tests.builders import Built, index_of, random_image
from tests.sessions import is_stored, name_at

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
S390X = Platform("linux", "s390x")
IMAGES = {platform: random_image(platform=platform) for platform in (S390X, AMD64, ARM64)}
INDEX = index_of(*IMAGES.values())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.lock"


@pytest.fixture
def name(ghcr: RegistryDouble, session: Session) -> Reference:
    ghcr.push_image("octo/image", "1.0", INDEX)
    return name_at(ghcr, session)


def _platforms(path: Path, name: Reference) -> list[Platform]:
    return [one.platform for one in read_pins(path)[name].platforms]


def test_a_pin_added_again_keeps_its_platforms_by_default(
    session: Session, name: Reference, path: Path
) -> None:
    [first] = add(session, path, [name], only=[ARM64])
    assert not first.has_moved
    [again] = add(session, path, [name])
    assert again.after == again.before
    assert _platforms(path, name) == [ARM64]
    [wider] = add(session, path, [name], only=[S390X, AMD64, S390X])
    assert wider.after
    # They are in the given order, without duplicates; the platforms themselves are sorted.
    assert wider.after.only == (S390X, AMD64)
    assert _platforms(path, name) == [AMD64, S390X]
    assert read_pins(path)[name].only == (S390X, AMD64)


def test_two_platforms_of_one_image_pin_it_once(session: Session, name: Reference) -> None:
    pin = resolve(session, name, [ARM64, Platform("linux", "arm64", "v8.1")])
    assert [one.digest for one in pin.platforms] == [IMAGES[ARM64].root.digest]
    assert len(pin.only) == 2


def test_a_pin_is_kept_if_the_new_image_lacks_a_platform(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name], only=[S390X, ARM64])
    text = path.read_bytes()
    ghcr.push_image("octo/image", "1.0", index_of(random_image(seed=9), IMAGES[ARM64]))
    [change] = update(session, path)
    assert isinstance(change.error, PlatformNotFoundError)
    assert change.after is None
    assert not change.has_moved
    assert "has no image for linux/s390x" in change.error.message
    assert "linux/amd64, linux/arm64" in str(change.error.hint)
    assert path.read_bytes() == text


def test_pins_cannot_be_selected_by_digest(session: Session, name: Reference, path: Path) -> None:
    add(session, path, [name])
    text = path.read_bytes()
    given = session.parse(f"{name}@{INDEX.root.digest}")
    for act in (lambda: update(session, path, [given]), lambda: remove(path, [given])):
        with pytest.raises(UsageError, match="not a digest"):
            act()
    assert path.read_bytes() == text


def test_a_name_that_is_not_pinned_gets_the_nearest_as_a_hint(
    session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name])
    with pytest.raises(NotFoundError) as caught:
        remove(path, [name.with_tag("1.00"), name])
    assert str(caught.value.hint) == f"did you mean {name}?"
    far = session.parse("quay.io/something/else:9")
    with pytest.raises(NotFoundError) as caught:
        update(session, path, [far])
    assert str(caught.value.hint) == f"ghcrctl lock add {far}"
    assert list(read_pins(path)) == [name]


def test_a_file_that_is_missing_is_not_created_by_a_removal(
    session: Session, name: Reference, path: Path
) -> None:
    for act in (
        lambda: remove(path, [name]),
        lambda: remove(path, []),
        lambda: update(session, path),
    ):
        with pytest.raises(NotFoundError, match=r"no such file: .*images\.lock"):
            act()
    assert list(path.parent.glob("images.lock*")) == []


def test_all_platforms_are_those_that_are_pinned(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    one = resolve(session, name, [ARM64])
    result = pull_pin(session, one, select=Selection(everything=True))
    assert result.descriptor.digest == IMAGES[ARM64].root.digest
    assert not session.store.blobs.exists(INDEX.root)
    ghcr.log.clear()
    assert not pull_pin(session, one, select=Selection(everything=True)).updated
    assert not ghcr.log
    every = resolve(session, name)
    result = pull_pin(session, every, select=Selection(everything=True))
    assert result.descriptor.digest == INDEX.root.digest


def test_two_platforms_make_an_index_of_their_own(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    pin = resolve(session, name)
    result = pull_pin(session, pin, select=Selection((AMD64, ARM64)))
    assert result.descriptor.is_index
    assert result.descriptor.digest != INDEX.root.digest
    assert is_stored(session, IMAGES[AMD64])
    assert is_stored(session, IMAGES[ARM64])
    assert not session.store.blobs.exists(IMAGES[S390X].root)
    # Only the registry knows which index that is.
    ghcr.log.clear()
    assert not pull_pin(session, pin, select=Selection((AMD64, ARM64))).updated
    assert ghcr.log


def test_unpinned_platforms_make_no_request(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    pin = resolve(session, name, [ARM64])
    ghcr.log.clear()
    selections = [Selection(), Selection((AMD64,)), Selection((ARM64, AMD64))]
    for select in selections:
        with pytest.raises(PlatformNotFoundError, match="is not pinned for linux/amd64"):
            pull_pin(session, pin, select=select)
    assert not ghcr.log


def _with_features(image: Built) -> Built:
    """Build an index whose second entry needs an OS feature."""
    entries = [image.root.to_json(), image.root.to_json()]
    for entry, features in zip(entries, ([], ["erofs"]), strict=True):
        entry["platform"] = {"os": "linux", "architecture": "amd64", "os.features": features}
    raw = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    return Built(root, (*image.contents, (root, raw)))


def test_features_of_a_platform_are_kept_in_the_file(
    ghcr: RegistryDouble, session: Session, path: Path
) -> None:
    ghcr.push_image("octo/image", "erofs", _with_features(IMAGES[AMD64]))
    name = name_at(ghcr, session, "octo/image:erofs")
    add(session, path, [name])
    assert '"linux(+erofs)/amd64"' in path.read_text()
    found = [one.platform.with_features for one in read_pins(path)[name].platforms]
    assert found == ["linux(+erofs)/amd64", "linux/amd64"]
    [change] = add(session, path, [name], only=[Platform.parse("linux(+erofs)/amd64")])
    assert change.after
    assert [one.platform.os_features for one in change.after.platforms] == [("erofs",)]
    assert read_pins(path)[name] == change.after
