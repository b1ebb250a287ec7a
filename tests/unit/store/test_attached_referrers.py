"""Referrers are kept as long as their subject, and deleted with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.images.remove_platforms import remove_platforms
from ghcrctl.operations.store.df import disk_usage
from ghcrctl.operations.store.prune import PruneRules, prune
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import artifact, index_of, random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built

HOME = "ghcr.io/octo/tool"
IMAGE, OTHER = random_image(seed=1), random_image(seed=2)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def keep(session: Session, built: Built, name: str, origin: Digest | None = None) -> None:
    memory = MemoryPlace()
    built.into(memory)
    place = StorePlace(session.store, origin=origin)
    execute(make_plan(memory, place, built.root, names=(name,)))


def attach(session: Session, subject: Descriptor, what: str = "sbom", tag: str = "") -> Built:
    """Store a referrer by digest, like a push, or under a tag."""
    made = artifact(f"application/vnd.example.{what}", subject=subject, payload=what.encode())
    keep(session, made, f"{HOME}:{tag}" if tag else f"{HOME}@{made.root.digest}")
    return made


def is_here(session: Session, built: Built) -> bool:
    session.store.release()
    listed = {record.descriptor.digest for record in session.store.records()}
    content = all(session.store.blobs.exists(d) for d, _ in built.contents)
    assert content or built.root.digest not in listed
    return content and built.root.digest in listed


def test_prune_keeps_the_referrers_of_a_tagged_image(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    sbom = attach(session, IMAGE.root)
    signature = attach(session, sbom.root, "signature")
    pruned = prune(session, PruneRules())
    assert (pruned.untagged, pruned.deleted) == ((), ())
    assert is_here(session, sbom)
    assert is_here(session, signature)


@pytest.mark.parametrize("dry_run", [True, False])
def test_prune_deletes_referrers_with_their_subject(session: Session, dry_run: bool) -> None:
    keep(session, IMAGE, "")
    keep(session, OTHER, f"{HOME}:2")
    sbom, other = attach(session, IMAGE.root), attach(session, OTHER.root)
    signature = attach(session, sbom.root, "signature")
    session.store.release()
    pruned = prune(session, PruneRules(), dry_run=dry_run)
    for built in (IMAGE, sbom, signature):
        assert built.root.digest in pruned.deleted
        assert is_here(session, built) == dry_run
    assert len(pruned.untagged) == 3
    assert is_here(session, other)


@pytest.mark.parametrize("where", ["a platform", "the index", "the index it was pulled from"])
def test_referrers_of_any_part_of_an_image_are_kept(session: Session, where: str) -> None:
    index = index_of(IMAGE, OTHER)
    whole = where != "the index it was pulled from"
    keep(session, index if whole else IMAGE, f"{HOME}:1", index.root.digest)
    signature = attach(session, OTHER.root if where == "a platform" else index.root)
    prune(session, PruneRules())
    assert is_here(session, signature)
    remove(session, f"{HOME}:1")
    assert not is_here(session, signature)


def test_referrers_by_tag_are_kept_and_not_listed_as_images(session: Session) -> None:
    for seed, built in enumerate((IMAGE, OTHER)):
        keep(session, built, f"{HOME}:{seed}")
        tag = f"sha256-{built.root.digest.encoded}"
        keep(session, random_image(seed=10 + seed), f"{HOME}:{tag}.sig")
        keep(session, index_of(random_image(seed=20 + seed)), f"{HOME}:{tag}")
    pruned = prune(session, PruneRules(keep_last=2))
    assert pruned.untagged == ()
    pruned = prune(session, PruneRules(keep_last=1))
    assert len(pruned.untagged) == 3
    assert len(session.store.records()) == 3


def test_rules_do_not_separate_referrers_from_subjects(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    attach(session, IMAGE.root, tag="sbom")
    assert prune(session, PruneRules(without_labels=("never",), everything=False)).deleted == ()
    assert prune(session, PruneRules(keep_last=1)).deleted == ()
    assert len(prune(session, PruneRules(keep_last=0)).untagged) >= 1


def test_a_size_limit_removes_images_with_their_referrers(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    keep(session, OTHER, f"{HOME}:2")
    first, second = attach(session, IMAGE.root), attach(session, OTHER.root)
    session.store.release()
    size = sum(session.store.blobs.size(d) for d in session.store.blobs.all())
    pruned = prune(session, PruneRules(max_size=size - 1))
    assert len(pruned.untagged) == 2
    assert is_here(session, first) != is_here(session, second)


def test_pruning_everything_removes_everything(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    for tag in ("", "sbom"):
        attach(session, IMAGE.root, f"kind-{tag}", tag)
    session.store.release()
    prune(session, PruneRules(everything=True))
    assert session.store.records() == []
    assert list(session.store.blobs.all()) == []


def test_a_referrer_without_its_subject_is_treated_as_an_image(session: Session) -> None:
    sbom = attach(session, IMAGE.root)
    signature = attach(session, sbom.root, "signature")
    keep(session, OTHER, f"{HOME}:2")
    remove(session, f"{HOME}:2")
    assert is_here(session, sbom)
    assert is_here(session, signature)
    prune(session, PruneRules())
    assert session.store.records() == []


def test_removing_one_of_several_names_keeps_referrers(session: Session) -> None:
    for tag in "12":
        keep(session, IMAGE, f"{HOME}:{tag}")
    sbom = attach(session, IMAGE.root)
    assert remove(session, f"{HOME}:1").deleted == ()
    assert is_here(session, sbom)
    removed = remove(session, f"{HOME}:2")
    assert sbom.root.digest in removed.deleted
    assert not is_here(session, sbom)


def test_a_tagged_referrer_outlives_its_subject(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    sbom = attach(session, IMAGE.root, tag="sbom")
    remove(session, f"{HOME}:1")
    assert is_here(session, sbom)


def test_moving_a_tag_keeps_the_old_images_referrers(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1", IMAGE.root.digest)
    sbom = attach(session, IMAGE.root)
    keep(session, OTHER, f"{HOME}:1", OTHER.root.digest)
    assert is_here(session, IMAGE)
    assert is_here(session, sbom)
    prune(session, PruneRules())
    assert not is_here(session, IMAGE)
    assert not is_here(session, sbom)


def test_removing_a_platform_deletes_its_own_referrers(session: Session) -> None:
    arm = random_image(seed=3, platform=Platform("linux", "arm64"))
    index = index_of(IMAGE, arm)
    keep(session, index, f"{HOME}:1")
    of_amd, of_arm = attach(session, IMAGE.root), attach(session, arm.root)
    of_index = attach(session, index.root, "signature")
    session.store.release()
    reduced = remove_platforms(session, f"{HOME}:1", [Platform("linux", "arm64")])
    assert is_here(session, of_amd)
    for built in (of_arm, of_index):
        assert not is_here(session, built)
        assert built.root.digest in reduced.deleted


def test_rewriting_a_record_keeps_referrers(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    sbom = attach(session, IMAGE.root)
    session.store.edit(lambda records: [replace(r, origin=IMAGE.root.digest) for r in records])
    assert is_here(session, sbom)


def test_untagged_manifests_of_an_index_are_not_images(session: Session) -> None:
    index = index_of(IMAGE, OTHER)
    for child in (IMAGE, OTHER):
        keep(session, child, f"{HOME}@{child.root.digest}")
    keep(session, index, f"{HOME}:1")
    assert prune(session, PruneRules()).untagged == ()
    remove(session, f"{HOME}:1")
    assert len(prune(session, PruneRules()).untagged) >= 1
    assert session.store.records() == []


def test_images_does_not_list_manifests_of_an_index(session: Session) -> None:
    index = index_of(IMAGE, OTHER)
    for child in (IMAGE, OTHER):
        keep(session, child, f"{HOME}@{child.root.digest}")
    keep(session, index, f"{HOME}:1")
    assert [row.tag for row in list_images(session)] == ["1"]
    remove(session, f"{HOME}:1")
    assert {row.tag for row in list_images(session)} == {""}


def test_df_counts_only_what_prune_would_free(session: Session) -> None:
    keep(session, IMAGE, f"{HOME}:1")
    attach(session, attach(session, IMAGE.root).root, "signature")
    assert disk_usage(session).lines[0].reclaimable == 0
    keep(session, OTHER, "")
    own = attach(session, OTHER.root)
    session.store.release()
    line = disk_usage(session).lines[0]
    assert line.reclaimable >= own.root.size
    assert prune(session, PruneRules()).freed == line.reclaimable
