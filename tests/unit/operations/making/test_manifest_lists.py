"""Manifest lists are kept locally until they are pushed, as in docker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import (
    InvalidPlatformError,
    NoSuchImageError,
    PlatformNotFoundError,
    RefusedError,
    StoreDamagedError,
    UsageError,
)
from ghcrctl.oci.manifest import Index
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.index_entries import EntryChange
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.making import index_changes
from ghcrctl.operations.making.indexes import IndexTarget, read_manifest
from ghcrctl.operations.making.manifest_lists import (
    read_list_entry,
    read_local_entries,
    read_local_index,
    remove_list,
)
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push_index import push_index
from ghcrctl.operations.registries.exists import exists
from tests.builders import attested, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

ARM = Platform("linux", "arm64")
# An arm64 image whose config says amd64, as cross-platform builders may write it.
ONE, WRONG, OTHER = random_image(1, seed=1), random_image(1, seed=2), random_image(1, seed=3)
S390 = random_image(1, seed=4, platform=Platform("linux", "s390x"))


@pytest.fixture
def end(ghcr: RegistryDouble, session: Session) -> Callable[[str], IndexTarget]:
    """Return images at a registry by their tags."""
    for text, image in (("a", ONE), ("b", WRONG), ("c", OTHER), ("s390x", S390)):
        ghcr.push_image("octo/image", text, image)
        ghcr.push_image("octo/parts", text, image)
    return lambda text: IndexTarget(
        name_at(ghcr, session, text if "/" in text else f"octo/image:{text}")
    )


def create(session: Session, target: IndexTarget, *sources: IndexTarget, **options: Any) -> Any:
    return index_changes.create(session, target, sources, annotations={}, **options)


def platforms(session: Session, where: IndexTarget) -> list[dict[str, Any]]:
    index = read_manifest(session, where)
    assert isinstance(index, Index)
    return [entry["platform"] for entry in json.loads(index.raw)["manifests"]]


def is_published(session: Session, where: IndexTarget) -> bool:
    return exists(session, str(where.reference)) is not None


def test_dockers_sequence(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    writes = ghcr.count("PUT") + ghcr.count("POST")
    create(session, target, end("octo/parts:a"), end("octo/parts:b"))
    change = EntryChange({}, architecture="arm64", variant="v8")
    made = index_changes.annotate(session, target, str(end("octo/parts:b").reference), change)
    assert ghcr.count("PUT") + ghcr.count("POST") == writes
    assert not is_published(session, target)
    assert read_local_index(session, target)
    assert read_local_entries(session, target)
    done = push_index(session, target)
    assert done.digest == made.digest
    assert done.previous is None
    assert platforms(session, target) == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
    ]
    # As in docker, the local list is kept for further changes; --purge removes it.
    index_changes.annotate(session, target, "linux/arm64", EntryChange({"a": "b"}))
    again = push_index(session, target, purge=True)
    assert again.previous == done.digest
    assert read_local_index(session, target) is None
    with pytest.raises(NoSuchImageError):
        push_index(session, target)


def test_every_field_of_a_platform_is_set(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"))
    change = EntryChange(
        {}, os="windows", architecture="amd64", os_version="10.0.1", os_features=("win32k",)
    )
    index_changes.annotate(session, target, str(ONE.root.digest), change, push=True)
    assert platforms(session, target) == [
        {
            "architecture": "amd64",
            "os": "windows",
            "os.version": "10.0.1",
            "os.features": ["win32k"],
        }
    ]
    for wrong in (EntryChange({}, os="linus"), EntryChange({}, architecture="amd46")):
        with pytest.raises(InvalidPlatformError, match="unknown"):
            index_changes.annotate(session, target, str(ONE.root.digest), wrong)


def test_a_list_is_only_amended_with_amend(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"))
    with pytest.raises(RefusedError, match="it already exists") as caught:
        create(session, target, end("s390x"))
    assert "--amend" in str(caught.value.hint)
    create(session, target, end("s390x"), amend=True)
    # An image that was already added by its name is listed once.
    create(session, target, end("a"), amend=True)
    entries = read_local_entries(session, target) or []
    assert [entry.digest for entry, _ in entries] == [S390.root.digest, ONE.root.digest]
    create(session, target, end("c"), replace=True)
    [(entry, _)] = read_local_entries(session, target) or []
    assert entry.digest == OTHER.root.digest


def test_a_published_tag_is_replaced_only_on_request(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    old = attested(random_image(1, seed=7))
    ghcr.push_image("octo/all", "1", old)
    with pytest.raises(RefusedError, match="the registry has a tag of this name"):
        create(session, target, end("a"))
    assert read_local_index(session, target) is None
    # Amending adds to the published list, and replaces the image for the same platform.
    create(session, target, end("a"), end("s390x"), amend=True, push=True)
    digests = [d.digest for d in read_manifest(session, target).children]
    assert ONE.root.digest in digests
    assert len(digests) == 3
    done = create(session, target, end("c"), replace=True, push=True)
    assert [d.digest for d in read_manifest(session, target).children] == [OTHER.root.digest]
    assert done.previous is not None


def test_a_tag_changed_in_the_meantime_is_kept(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"))
    ghcr.push_image("octo/all", "1", OTHER)
    with pytest.raises(RefusedError, match="the tag exists") as caught:
        push_index(session, target)
    assert "manifest push --replace" in str(caught.value.hint)
    assert read_manifest(session, target).descriptor.digest == OTHER.root.digest
    assert push_index(session, target, replace=True).previous == OTHER.root.digest


def test_an_index_at_the_registry_is_changed_by_a_push_alone(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    target, both = end("octo/all:1"), index_of(ONE, S390)
    ghcr.push_image("octo/all", "1", both)
    index_changes.remove(session, target, ["linux/s390x"])
    index_changes.add(session, target, [end("s390x")])
    index_changes.annotate(session, target, "", EntryChange({"k": "v"}))
    assert read_manifest(session, target).descriptor.digest == both.root.digest
    assert push_index(session, target).previous == both.root.digest
    assert read_manifest(session, target).annotations == {"k": "v"}


def test_push_refuses_two_images_for_one_platform(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"), end("b"))
    with pytest.raises(UsageError, match="two images are for linux/amd64") as caught:
        push_index(session, target)
    assert "manifest annotate" in str(caught.value.hint)
    assert not is_published(session, target)


def test_entries_are_selected_by_name_platform_or_digest(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"), end("s390x"))
    name = end("s390x").reference
    for text in (str(name), "linux/s390x", str(S390.root.digest), f"x@{S390.root.digest}"):
        assert read_list_entry(session, target, text).descriptor.digest == S390.root.digest
    for text in ("linux/arm64", "octo/none:1", "no thing", str(OTHER.root.digest)):
        with pytest.raises(PlatformNotFoundError, match="not found in the index"):
            index_changes.annotate(session, target, text, EntryChange({"a": "b"}))
    with pytest.raises(UsageError, match="without an entry"):
        index_changes.annotate(session, target, "", EntryChange({}, variant="v8"))


def test_lists_are_removed(session: Session, end: Callable[[str], IndexTarget]) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"))
    remove_list(session, target)
    assert read_local_index(session, target) is None
    with pytest.raises(NoSuchImageError, match="no such manifest list"):
        remove_list(session, target)


def test_a_local_image_is_uploaded_by_the_push(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    pull(session, end("s390x").reference)
    tag(session, str(end("s390x").reference), [session.parse("mine")])
    target = end("octo/new:1")
    create(session, target, IndexTarget(session.parse("mine").tagged(), local=True))
    assert not ghcr.count("POST", "/octo/new/")
    push_index(session, target)
    assert platforms(session, target) == [{"architecture": "s390x", "os": "linux"}]


def test_the_store_keeps_its_own_indexes(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    for text in ("a", "s390x"):
        pull(session, end(text).reference)
    one, other = (IndexTarget(end(text).reference, local=True) for text in ("a", "s390x"))
    target = IndexTarget(session.parse("both").tagged(), local=True)
    create(session, target, one)
    with pytest.raises(RefusedError, match="the name exists in the local store"):
        create(session, target, other)
    create(session, target, other, amend=True)
    assert len(platforms(session, target)) == 2
    assert read_list_entry(session, target, "linux/s390x").descriptor.digest == S390.root.digest
    create(session, target, other, replace=True)
    assert len(platforms(session, target)) == 1


def test_a_damaged_list_is_an_error(session: Session, end: Callable[[str], IndexTarget]) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"))
    [path] = (session.store.root / "ghcrctl" / "manifests").iterdir()
    path.write_text("{")
    with pytest.raises(StoreDamagedError, match="is damaged") as caught:
        push_index(session, target)
    assert "manifest rm" in str(caught.value.hint)


def test_the_same_image_is_listed_once(session: Session, end: Callable[[str], IndexTarget]) -> None:
    target = end("octo/all:1")
    create(session, target, end("a"), end("a"), end("octo/parts:a"))
    assert len(read_local_entries(session, target) or []) == 1
    push_index(session, target)


@pytest.mark.parametrize("local", [False, True])
def test_an_entry_of_an_index_is_found_by_the_name_of_its_image(
    session: Session, end: Callable[[str], IndexTarget], local: bool
) -> None:
    target, parts = end("octo/all:1"), [end("octo/parts:a"), end("octo/parts:s390x")]
    for part in parts:
        pull(session, part.reference)
    sides = [IndexTarget(part.reference, local) for part in parts]
    # It is pushed at once, so no local list records the names of its entries.
    create(session, IndexTarget(target.reference, local), *sides, push=True)
    chosen = str(parts[1].reference)
    made = index_changes.annotate(
        session,
        IndexTarget(target.reference, local),
        chosen,
        EntryChange({}, variant="z15"),
        push=True,
    )
    assert [p.get("variant") for p in platforms(session, made.end)] == [None, "z15"]
    other = str(end("octo/image:none").reference)
    with pytest.raises(PlatformNotFoundError):
        index_changes.annotate(
            session, IndexTarget(target.reference, local), other, EntryChange({})
        )


def test_only_a_local_list_gets_a_removal_hint(
    session: Session, ghcr: RegistryDouble, end: Callable[[str], IndexTarget]
) -> None:
    target = end("octo/all:1")
    ghcr.push_image("octo/all", "1", index_of(ONE))
    with pytest.raises(UsageError, match="cannot remove the last image of") as caught:
        index_changes.remove(session, target, [str(ONE.root.digest)])
    assert caught.value.hint is None
