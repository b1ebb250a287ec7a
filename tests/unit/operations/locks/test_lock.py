"""Pinning images at a registry, checking pins and pulling them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    ExitStatus,
    InvalidManifestError,
    NotFoundError,
    PlatformNotFoundError,
    TagMovedError,
    UsageError,
)
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.locks.check import LocalState, RegistryState, check_pins, worst_status
from ghcrctl.operations.locks.lock import add, remove, resolve, update
from ghcrctl.operations.locks.lock_file import PinnedPlatform, read_pins
from ghcrctl.operations.locks.pull import pull_pin
from ghcrctl.operations.moving.pull import pull
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, artifact, attested, index_of, random_image
from tests.registry_double import Fault
from tests.sessions import is_stored, name_at

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
S390X = Platform("linux", "s390x")
IMAGES = {platform: random_image(platform=platform) for platform in (AMD64, ARM64, S390X)}
INDEX = index_of(*IMAGES.values())
OTHER = index_of(random_image(seed=9), IMAGES[ARM64])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.lock"


@pytest.fixture
def name(ghcr: RegistryDouble, session: Session) -> Reference:
    ghcr.push_image("octo/image", "1.0", INDEX)
    return name_at(ghcr, session)


def size_of(image: Built) -> int:
    return sum(descriptor.size for descriptor, _ in image.contents)


def test_a_pin_has_the_digests_and_sizes_of_all_platforms(
    session: Session, name: Reference
) -> None:
    pin = resolve(session, name)
    assert (pin.name, pin.digest, pin.only) == (name, INDEX.root.digest, ())
    assert pin.platforms == tuple(
        PinnedPlatform(platform, image.root.digest, size_of(image))
        for platform, image in IMAGES.items()
    )


def test_attestations_are_not_platforms(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/image", "attested", attested(random_image()))
    assert len(resolve(session, name.with_tag("attested")).platforms) == 1


def test_an_artifact_has_no_platform(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    thing = artifact()
    ghcr.push_image("octo/image", "thing", thing)
    pin = resolve(session, name.with_tag("thing"))
    assert (pin.digest, pin.platforms) == (thing.root.digest, ())
    assert pull_pin(session, pin).kind
    assert is_stored(session, thing)


def test_a_platform_with_special_characters_is_refused(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    evil = index_of(random_image(), platforms=(Platform("linux", "amd64", "", '1"\n[[image]]'),))
    ghcr.push_image("octo/image", "evil", evil)
    with pytest.raises(InvalidManifestError, match="for an invalid platform"):
        resolve(session, name.with_tag("evil"))


def test_selected_platforms_are_kept_by_an_update(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name], only=[ARM64])
    assert [one.platform for one in read_pins(path)[name].platforms] == [ARM64]
    ghcr.push_image("octo/image", "1.0", OTHER)
    [change] = update(session, path)
    assert change.has_moved
    moved = read_pins(path)[name]
    assert (moved.digest, moved.only) == (OTHER.root.digest, (ARM64,))
    assert [one.digest for one in moved.platforms] == [IMAGES[ARM64].root.digest]


def test_a_pinned_name_keeps_its_digest(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name])
    text = path.read_bytes()
    ghcr.push_image("octo/image", "1.0", OTHER)
    [change] = add(session, path, [name])
    assert change.before == change.after
    assert path.read_bytes() == text
    [change] = add(session, path, [name], only=[AMD64])
    assert change.after
    assert (change.after.digest, change.after.only) == (INDEX.root.digest, (AMD64,))


def test_a_given_digest_is_pinned(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    ghcr.push_image("octo/image", "1.0", OTHER)
    given = session.parse(f"{name}@{INDEX.root.digest}")
    add(session, path, [given])
    assert read_pins(path)[name].digest == INDEX.root.digest
    with pytest.raises(UsageError, match="has no tag"):
        add(session, path, [name.with_digest(INDEX.root.digest)])
    with pytest.raises(UsageError, match="given twice"):
        add(session, path, [given, name])


def test_a_missing_platform_error_names_the_existing_ones(
    session: Session, name: Reference, path: Path
) -> None:
    [change] = add(session, path, [name], only=[AMD64, Platform("plan9", "mips")])
    assert isinstance(change.error, PlatformNotFoundError)
    assert "linux/s390x" in str(change.error.hint)
    assert not path.exists()


def test_one_failure_does_not_prevent_other_pins(
    session: Session, name: Reference, path: Path
) -> None:
    gone, kept = add(session, path, [name.with_tag("none"), name])
    assert isinstance(gone.error, NotFoundError)
    assert kept.after
    assert list(read_pins(path)) == [name]


def test_a_dry_run_does_not_change_the_file(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name])
    text = path.read_bytes()
    ghcr.push_image("octo/image", "1.0", OTHER)
    [change] = update(session, path, dry_run=True)
    assert change.has_moved
    assert path.read_bytes() == text


def test_a_name_without_a_tag_means_all_pinned_tags(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    ghcr.push_image("octo/image", "2.0", OTHER)
    ghcr.push_image("octo/other", "1.0", OTHER)
    two, other = name.with_tag("2.0"), name_at(ghcr, session, "octo/other:1.0")
    add(session, path, [two, other, name])
    assert [change.name for change in update(session, path, [name.with_tag(None)])] == [name, two]
    with pytest.raises(NotFoundError) as caught:
        remove(path, [two, name.with_tag("2.1")])
    assert caught.value.hint == f"did you mean {two}?"
    assert len(read_pins(path)) == 3
    assert [pin.name for pin in remove(path, [name.with_tag(None)])] == [name, two]
    assert list(read_pins(path)) == [other]


def test_pins_removed_in_the_meantime_are_not_restored(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name])
    ghcr.push_image("octo/image", "1.0", OTHER)
    asked = session.repository(name).resolve

    def meanwhile(target: str) -> object:
        remove(path, [name])
        return asked(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(session.repository(name)), "resolve", lambda _, t: meanwhile(t))
        update(session, path)
    assert read_pins(path) == {}


def test_a_check_makes_one_request_per_pin(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    for kind in ("moved", "untagged", "gone"):
        ghcr.push_image("octo/image", kind, random_image(seed=len(kind)))
    names = [name, *(name.with_tag(kind) for kind in ("moved", "untagged", "gone"))]
    add(session, path, names)
    pins = read_pins(path)
    ghcr.log.clear()
    [checked] = check_pins(session, path, [pins[name]])
    assert checked.failures == ()
    assert [entry.method for entry in ghcr.log if "/manifests/" in entry.path] == ["HEAD"]
    ghcr.push_image("octo/image", "moved", OTHER)
    ghcr.backend.untag("octo/image", "untagged")
    ghcr.backend.delete("octo/image", pins[names[3]].digest)
    found = check_pins(session, path, [pins[one] for one in names])
    assert [one.there for one in found] == [
        RegistryState.CURRENT,
        RegistryState.MOVED,
        RegistryState.UNTAGGED,
        RegistryState.GONE,
    ]
    assert found[1].now == OTHER.root.digest
    assert isinstance(found[1].failures[0], TagMovedError)
    assert worst_status(found[:1]) is ExitStatus.SUCCESS
    assert worst_status(found[:3]) is ExitStatus.DIFFERENT
    assert worst_status(found) is ExitStatus.NOT_FOUND


def test_unknown_states_come_first(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    ghcr.push_image("octo/image", "2.0", OTHER)
    add(session, path, [name, name.with_tag("2.0")])
    ghcr.push_image("octo/image", "1.0", OTHER)
    ghcr.faults.append(Fault(path_contains="/manifests/2.0", status=500, times=99))
    found = check_pins(session, path, list(read_pins(path).values()))
    assert [one.there for one in found] == [RegistryState.MOVED, RegistryState.UNKNOWN]
    assert worst_status(found) is ExitStatus.NETWORK


def test_the_store_is_checked_without_network_access(
    ghcr: RegistryDouble, session: Session, name: Reference, path: Path
) -> None:
    add(session, path, [name])
    [pin] = read_pins(path).values()

    def here() -> LocalState:
        ghcr.log.clear()
        [checked] = check_pins(session, path, [pin], ask=False, local=True)
        assert not ghcr.log
        assert checked.there is RegistryState.NOT_ASKED
        assert bool(checked.failures) == (checked.here is not LocalState.PRESENT)
        return checked.here

    assert here() is LocalState.MISSING
    pull_pin(session, pin)
    assert here() is LocalState.PRESENT
    session.store.blobs.path(IMAGES[AMD64].blobs[0][0].digest).unlink()
    assert here() is LocalState.MISSING
    ghcr.push_image("octo/image", "1.0", OTHER)
    pull(session, name)
    assert here() is LocalState.DIFFERENT


def test_a_pull_stores_the_pinned_image_under_its_name(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    pin = resolve(session, name)
    ghcr.push_image("octo/image", "1.0", OTHER)
    pull(session, name)
    result = pull_pin(session, pin)
    assert (result.reference, result.digest, result.updated) == (name, INDEX.root.digest, True)
    assert is_stored(session, IMAGES[AMD64])
    [record] = [r for r in session.store.records() if r.name == str(name)]
    assert record.descriptor.digest == IMAGES[AMD64].root.digest
    assert record.origin == INDEX.root.digest


@pytest.mark.parametrize(
    "select",
    [Selection(), Selection((ARM64,)), Selection(everything=True)],
    ids=["this", "arm64", "all"],
)
def test_stored_images_make_no_request(
    ghcr: RegistryDouble, session: Session, name: Reference, select: Selection
) -> None:
    pin = resolve(session, name)
    assert pull_pin(session, pin, select=select).updated
    ghcr.log.clear()
    again = pull_pin(session, pin, select=select)
    assert (again.updated, again.moved, again.digest) == (False, 0, INDEX.root.digest)
    assert not ghcr.log
    session.store.blobs.path(IMAGES[ARM64 if select.platforms else AMD64].root.digest).unlink()
    assert pull_pin(session, pin, select=select).updated


@pytest.mark.parametrize(
    "select",
    [Selection(), Selection((ARM64,)), Selection((AMD64, ARM64)), Selection(everything=True)],
    ids=["this", "arm64", "two", "all"],
)
@pytest.mark.parametrize("loaded", ["octo/image:1.0", "octo/other:2"])
def test_images_loaded_from_an_archive_make_no_request(
    ghcr: RegistryDouble, session: Session, name: Reference, select: Selection, loaded: str
) -> None:
    pin = resolve(session, name)
    own = name_at(ghcr, session, loaded)
    memory = MemoryPlace()
    INDEX.into(memory)
    execute(make_plan(memory, StorePlace(session.store), INDEX.root, names=(str(own),)))
    ghcr.log.clear()
    result = pull_pin(session, pin, select=select)
    assert (result.digest, result.moved, result.updated) == (INDEX.root.digest, 0, own != name)
    assert not ghcr.log
    assert not pull_pin(session, pin, select=select).updated
    [checked] = check_pins(session, Path("images.lock"), [pin], ask=False, local=True)
    assert checked.here is LocalState.PRESENT
    session.store.blobs.path(IMAGES[AMD64].root.digest).unlink()
    pull_pin(session, pin, select=select)
    assert ghcr.log


def test_a_lock_file_alone_proves_no_origin(session: Session, name: Reference) -> None:
    pin = resolve(session, name)
    evil = random_image(seed=66)
    memory = MemoryPlace()
    evil.into(memory)
    execute(make_plan(memory, StorePlace(session.store), evil.root, names=(str(name),)))
    platforms = (replace(pin.platforms[0], digest=evil.root.digest), *pin.platforms[1:])
    result = pull_pin(session, replace(pin, platforms=platforms))
    assert result.descriptor.digest == IMAGES[AMD64].root.digest


def test_an_image_of_another_origin_is_pulled_again(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    pin = resolve(session, name)
    ghcr.push_image("octo/copy", "1.0", IMAGES[AMD64])
    copied = name_at(ghcr, session, "octo/copy:1.0")
    pull(session, copied)
    tag(session, str(copied), [name])
    pull_pin(session, pin)
    [record] = [r for r in session.store.records() if r.name == str(name)]
    assert record.origin == INDEX.root.digest


def test_only_pinned_platforms_are_pulled(session: Session, name: Reference) -> None:
    pin = resolve(session, name, [ARM64, S390X])
    with pytest.raises(PlatformNotFoundError, match="not pinned for linux/amd64") as caught:
        pull_pin(session, pin)
    assert "linux/arm64, linux/s390x" in str(caught.value.hint)
    with pytest.raises(PlatformNotFoundError):
        pull_pin(session, pin, select=Selection((AMD64,)))
    pull_pin(session, pin, select=Selection(everything=True))
    assert is_stored(session, IMAGES[ARM64])
    assert is_stored(session, IMAGES[S390X])
    assert not session.store.blobs.exists(IMAGES[AMD64].root)
    assert not session.store.blobs.exists(INDEX.root)


def test_a_single_platform_image_is_pulled_unless_another_platform_is_requested(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/image", "arm", IMAGES[ARM64])
    pin = resolve(session, name.with_tag("arm"))
    assert pull_pin(session, pin).digest == IMAGES[ARM64].root.digest
    with pytest.raises(PlatformNotFoundError):
        pull_pin(session, pin, select=Selection((AMD64,)))
