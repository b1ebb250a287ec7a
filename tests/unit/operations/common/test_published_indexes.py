"""Replacing an index with one that has fewer images: the rules, without a registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import RefusedError
from ghcrctl.oci.manifest import parse
from ghcrctl.oci.platform import Platform
from ghcrctl.oci.reference import Reference
from ghcrctl.operations.common.published_tags import (
    manifests_of,
    refuse_partial_replacement,
    refuse_platform_loss,
    refuse_platform_loss_of_tag,
)
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, attested, index_of, random_image

if TYPE_CHECKING:
    from collections.abc import Sequence

ARCHITECTURES = ("amd64", "arm64", "s390x", "ppc64le", "riscv64", "386", "arm")
IMAGES = [
    random_image(1, seed=number, platform=Platform("linux", each))
    for number, each in enumerate(ARCHITECTURES)
]
TARGET = Reference.parse("octo/image:1.0")


def _nested(*images: Built, depth: int = 1) -> Built:
    made = index_of(*images)
    for _ in range(depth):
        made = index_of(made, platforms=(None,))
    return made


def _place(current: Built, *others: Built) -> MemoryPlace:
    """Build a place with images whose tag 1.0 points to one of them."""
    place = MemoryPlace()
    for image in (*others, current):
        image.into(place)
    place.tag(Content(place, current.root), "1.0")
    return place


def _refused(place: MemoryPlace, new: Built) -> str:
    """Return why a tag may not be moved within its repository; empty if it may."""
    root = parse(read_metadata(place, new.root), new.root.media_type)
    try:
        refuse_platform_loss_of_tag(place, TARGET, root, force="FORCE")
    except RefusedError as error:
        return f"{error.message}; {error.hint}"
    return ""


FIRST, SECOND, THIRD = IMAGES[:3]
THREE = index_of(FIRST, SECOND, THIRD)


@pytest.mark.parametrize(
    ("current", "new", "is_refused"),
    [
        (THREE, FIRST, True),
        (THREE, index_of(FIRST), True),
        (THREE, index_of(FIRST, SECOND), True),
        (THREE, _nested(FIRST, SECOND), True),
        (THREE, _nested(FIRST, SECOND, depth=3), True),
        (_nested(FIRST, SECOND, THIRD), index_of(FIRST, SECOND), True),
        (_nested(FIRST, SECOND, THIRD, depth=3), _nested(FIRST), True),
        (THREE, THREE, False),
        (THREE, index_of(THIRD, SECOND, FIRST), False),
        (THREE, _nested(FIRST, SECOND, THIRD), False),
        (THREE, _nested(FIRST, SECOND, THIRD, depth=2), False),
        (THREE, IMAGES[3], False),
        (THREE, index_of(FIRST, IMAGES[3]), False),
        (FIRST, SECOND, False),
        (FIRST, index_of(FIRST, SECOND), False),
        (index_of(FIRST), FIRST, False),
    ],
)
def test_a_tag_moves_unless_images_are_lost(
    current: Built, new: Built, *, is_refused: bool
) -> None:
    place = _place(current, new)
    assert _refused(place, new).endswith("FORCE") is is_refused
    # Pushing existing content follows the same rule.
    plan = make_plan(place, place, new.root, names=("1.0",))
    if is_refused:
        with pytest.raises(RefusedError):
            refuse_platform_loss(plan, TARGET, force="FORCE")
    else:
        refuse_platform_loss(plan, TARGET, force="FORCE")


def test_new_and_untagged_images_lose_no_platforms() -> None:
    place, source = _place(THREE), MemoryPlace()
    fresh = index_of(FIRST, SECOND)
    other = random_image(seed=77)
    for image in (fresh, other):
        image.into(source)
    refuse_platform_loss(make_plan(source, place, other.root), TARGET, force="FORCE")
    plan = make_plan(source, place, fresh.root)
    refuse_platform_loss(plan, TARGET.with_tag(None), force="FORCE")
    refuse_platform_loss(plan, TARGET.with_tag("2.0"), force="FORCE")
    with pytest.raises(RefusedError):
        refuse_platform_loss(plan, TARGET, force="FORCE")


def test_the_hint_copies_every_platform_from_elsewhere() -> None:
    place = _place(THREE, FIRST)
    plan = make_plan(place, place, FIRST.root)
    whole = f"{TARGET.name}@{THREE.root.digest}"
    other = "quay.io/a/b@sha256:c"
    for origin, start in (
        ("", "the tag already has this image"),
        (whole, "the tag already has this image"),
        (other, f"copy every platform with: ghcrctl copy {other} {TARGET}"),
    ):
        with pytest.raises(RefusedError) as caught:
            refuse_platform_loss(plan, TARGET, origin=origin, force="FORCE")
        assert str(caught.value.hint).startswith(start)


def test_a_conversion_is_compared_by_what_was_converted() -> None:
    place = _place(THREE)
    converted = random_image(seed=88)
    converted.into(place)
    plan = make_plan(place, place, converted.root)
    refuse_platform_loss(plan, TARGET, force="FORCE")
    with pytest.raises(RefusedError):
        refuse_platform_loss(plan, TARGET, converted=[FIRST.root.digest], force="FORCE")
    refuse_platform_loss(
        plan, TARGET, converted=[image.root.digest for image in IMAGES[:3]], force="FORCE"
    )


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        (IMAGES[:2], "linux/amd64, linux/arm64"),
        (IMAGES[:5], "linux/amd64, linux/arm64, linux/s390x, linux/ppc64le, linux/riscv64"),
        (IMAGES[:7], r"linux/riscv64 and 2 more"),
    ],
)
def test_a_refusal_names_five_platforms(images: Sequence[Built], shown: str) -> None:
    place = _place(index_of(*images), index_of(images[0]))
    found = _refused(place, index_of(images[0]))
    assert re.search(rf"an index of .*{shown}, and only linux/amd64 would remain", found)


def test_attestations_are_counted() -> None:
    place = _place(attested(FIRST), FIRST)
    assert "linux/amd64 with 1 attestation, and only linux/amd64 would" in _refused(place, FIRST)


@pytest.mark.parametrize(
    ("old", "new", "is_refused"),
    [
        (THREE, FIRST, True),
        (THREE, index_of(IMAGES[3], IMAGES[4]), True),
        (_nested(FIRST, SECOND), IMAGES[3], True),
        (attested(FIRST), SECOND, False),
        (THREE, index_of(*IMAGES[3:6]), False),
        (THREE, index_of(*IMAGES[2:6]), False),
        (THREE, THREE, False),
        (FIRST, SECOND, False),
        (index_of(FIRST), SECOND, False),
    ],
)
def test_a_change_of_a_part_does_not_replace_the_whole(
    old: Built, new: Built, *, is_refused: bool
) -> None:
    place = _place(old, new)
    if not is_refused:
        refuse_partial_replacement(place, old.root, new.root, "NAME")
        return
    with pytest.raises(RefusedError, match="cannot replace NAME: it is an index of") as caught:
        refuse_partial_replacement(place, old.root, new.root, "NAME")
    left, whole = (len(manifests_of(place, image.root)) for image in (new, old))
    assert f"only {left} of its {whole} images would remain" in caught.value.message


def test_an_image_is_its_own_manifest() -> None:
    place = _place(_nested(FIRST, SECOND), FIRST)
    assert list(manifests_of(place, FIRST.root)) == [FIRST.root.digest]
    nested = manifests_of(place, place.resolve("1.0"))
    assert list(nested) == [FIRST.root.digest, SECOND.root.digest]


def test_entries_without_a_platform_are_counted_or_left_unnamed() -> None:
    bare = index_of(FIRST, SECOND, platforms=(None, None))
    found = _refused(_place(bare, FIRST), FIRST)
    assert "an index of 2 manifests, and only 1 manifest would remain" in found
    mixed = index_of(FIRST, SECOND, platforms=(Platform("linux", "amd64"), None))
    found = _refused(_place(mixed, FIRST), FIRST)
    assert "an index of linux/amd64, and only linux/amd64 would remain" in found
