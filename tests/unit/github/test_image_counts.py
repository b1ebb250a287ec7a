"""The number of images to keep: `keep_last`, `floor`, and empty packages."""

from __future__ import annotations

import pytest

from ghcrctl.errors import RefusedError
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import Versions, tag_for
from tests.unit.github.plans import gone, multi_platform, planned, why


@pytest.mark.parametrize("when_empty", ["delete-package", "fail"])
@pytest.mark.parametrize("floor", [1, 2])
def test_an_explicit_floor_takes_precedence_over_when_empty(when_empty: str, floor: int) -> None:
    versions = Versions().image("a", "v1").image("b", "v2").image("c", "v3")
    plan = planned(versions, Policy(include=("*",), when_empty=when_empty, floor=floor))
    assert not plan.deletes_package
    assert [versions.names[kept.digest] for kept in plan.kept] == ["b", "c"][2 - floor :]


def test_a_floor_of_zero_leaves_the_package_to_when_empty() -> None:
    versions = multi_platform("v1")
    assert planned(
        versions, Policy(include=("*",), when_empty="delete-package", floor=0)
    ).deletes_package
    with pytest.raises(RefusedError, match="would delete all tagged versions"):
        planned(versions, Policy(include=("*",), when_empty="fail", floor=0))


# Releases whose platforms are tagged too

PLATFORMS = ("386", "amd64", "arm64")


def releases(count: int = 8) -> Versions:
    """Return releases as GoReleaser pushes them: each platform with its tag, then the index."""
    versions = Versions()
    for number in range(1, count + 1):
        parts = tuple(f"v{number}-{platform}" for platform in PLATFORMS)
        for part in parts:
            versions.image(part, part)
        versions.index(f"v{number}", parts, f"v{number}")
    return versions


def whole(*numbers: int) -> set[str]:
    """Return the names of releases with their platforms."""
    return {f"v{n}{part}" for n in numbers for part in ("", *(f"-{p}" for p in PLATFORMS))}


def test_a_tagged_platform_of_a_tagged_index_is_not_counted() -> None:
    assert set(gone(releases(), Policy(keep_last=5))) == whole(1, 2, 3)
    assert gone(releases(), Policy(keep_last=8)) == []
    assert set(gone(releases(2), Policy(keep_last=0))) == whole(1)
    assert why(releases(), "v4", Policy(keep_last=5)) == "one of the 5 newest"
    assert why(releases(), "v4-amd64", Policy(keep_last=5)) == "`v4` needs it"


def test_an_index_that_is_older_than_its_tagged_platforms_is_counted_once() -> None:
    versions = Versions()
    for number in range(1, 5):
        versions.index(f"v{number}", (f"a{number}", f"b{number}"), f"v{number}")
        versions.image(f"a{number}", f"v{number}-a").image(f"b{number}", f"v{number}-b")
    assert set(gone(versions, Policy(keep_last=2))) == {"v1", "a1", "b1", "v2", "a2", "b2"}
    assert set(gone(versions, Policy(include=("*",), floor=3))) == {"v1", "a1", "b1"}


def test_a_newer_platform_is_deleted_with_its_index() -> None:
    versions = Versions().index("v1", ("late",), "v1").image("v2", "v2").image("v3", "v3")
    versions.image("late", "v1-late").image("v4", "v4")
    assert gone(versions, Policy(keep_last=3)) == ["v1", "late"]


def test_the_floor_counts_an_index_and_its_platforms_once() -> None:
    policy = Policy(include=("*",), floor=3)
    assert set(gone(releases(5), policy)) == whole(1, 2)
    assert why(releases(5), "v3", policy) == "3 tagged images are always kept"
    assert set(gone(releases(5), Policy(include=("*",)))) == whole(1, 2, 3, 4)
    assert gone(releases(5), Policy(include=("*",), floor=9)) == []


def test_the_floor_adds_to_kept_versions_without_changing_reasons() -> None:
    policy = Policy(include=("*",), exclude=("v4", "v2"), floor=3)
    assert set(gone(releases(5), policy)) == whole(1, 3)
    assert why(releases(5), "v4", policy) == "`v4` is protected"
    assert why(releases(5), "v5", policy) == "3 tagged images are always kept"


def test_the_last_image_of_a_package_is_kept_with_its_platforms() -> None:
    versions = releases(2)
    assert set(gone(versions, Policy(include=("*",), floor=0))) == whole(1)
    versions = Versions().index("v1", ("late",), "v1").image("late", "v1-late")
    assert gone(versions, Policy(include=("*",), floor=0)) == []


def test_a_platform_that_outlives_its_index_is_an_image() -> None:
    # `v1-amd64` is excluded and kept when `v1` is deleted, which makes it an image.
    # With `v3` it is part of `v3` again.
    policy = Policy(include=("*",), exclude=("v3-amd64",), floor=2)
    assert set(gone(releases(3), policy)) == whole(1)


def test_platforms_of_nested_indexes_belong_to_the_outermost_one() -> None:
    versions = Versions()
    for n in range(1, 4):
        versions.image(f"amd64-{n}", f"v{n}-amd64")
        versions.index(f"linux-{n}", (f"amd64-{n}",), *((f"v{n}-linux",) if n != 2 else ()))
        versions.index(f"all-{n}", (f"linux-{n}",), f"v{n}")
    assert set(gone(versions, Policy(keep_last=2))) == {"amd64-1", "linux-1", "all-1"}
    assert set(gone(versions, Policy(include=("*",), floor=2))) == {"amd64-1", "linux-1", "all-1"}


def test_a_platform_of_two_images_is_kept_with_the_newer_one() -> None:
    versions = Versions().image("shared", "base").image("b", "v1-b")
    versions.index("one", ("shared", "b"), "v1").index("two", ("shared",), "v2")
    assert gone(versions, Policy(keep_last=1)) == ["one", "b"]
    assert why(versions, "shared", Policy(keep_last=1)) == "`v2` needs it"


def test_a_platform_with_another_tag_is_only_deleted_if_that_is_selected() -> None:
    versions = Versions().image("debian", "debian-12").index("one", ("debian",), "v1")
    versions.image("two", "v2").image("three", "v3")
    assert gone(versions, Policy(include=("v*",), keep_last=2)) == ["one"]
    assert gone(versions, Policy(keep_last=2)) == ["one", "debian"]
    policy = Policy(keep_last=1, group_by=r"^v")
    assert gone(versions, policy) == ["one", "two"]
    assert why(versions, "debian", policy) == "its tags match no group"


def test_tagged_platforms_of_an_untagged_index_are_images() -> None:
    versions = Versions()
    for n in range(1, 4):
        versions.image(f"a{n}", f"v{n}-a").image(f"b{n}", f"v{n}-b").index(
            f"i{n}", (f"a{n}", f"b{n}")
        )
    assert set(gone(versions, Policy(keep_last=4))) == {"i1", "i2", "i3", "a1", "b1"}
    assert set(gone(versions, Policy(keep_last=4, untagged=False))) == set()


def test_only_matching_images_are_counted() -> None:
    # The indexes are kept, since no rule selects `v1`, and so are their platforms.
    # The platforms' own tags are not selected.
    assert set(gone(releases(), Policy(include=("v?",), keep_last=6))) == {"v1", "v2"}
    assert set(gone(releases(), Policy(include=("semver:*",), keep_last=6))) == {"v1", "v2"}
    both = Policy(include=("semver:*", "*-*"), keep_last=6)
    assert set(gone(releases(), both)) == whole(1, 2)


def test_a_platform_is_counted_if_its_index_is_not() -> None:
    versions = Versions()
    for n in range(1, 4):
        versions.image(f"a{n}", f"v{n}").index(f"pr{n}", (f"a{n}",), f"pr-{n}")
    policy = Policy(include=("v*",), keep_last=2, stale_tags=(lambda tag: tag.startswith("pr-"),))
    assert set(gone(versions, policy)) == {"pr1", "pr2", "pr3", "a1"}


def test_each_group_counts_images() -> None:
    versions = Versions()
    for major in (1, 2):
        for minor in range(3):
            tag = f"v{major}.{minor}"
            versions.image(f"{tag}-amd64", f"{tag}-amd64").image(f"{tag}-arm64", f"{tag}-arm64")
            versions.index(tag, (f"{tag}-amd64", f"{tag}-arm64"), tag)
    expected = {f"v{m}.0{part}" for m in (1, 2) for part in ("", "-amd64", "-arm64")}
    assert set(gone(versions, Policy(keep_last=2, group_by=r"^v(\d+)\."))) == expected
    # A group with only platforms counts those; an index without a group is kept.
    assert gone(versions, Policy(keep_last=1, group_by=r"-(\w+)$")) == []


def test_tagged_attestations_and_signatures_of_an_image_are_part_of_it() -> None:
    versions = Versions()
    for n in range(1, 5):
        versions.image(f"v{n}", f"v{n}").image(f"sbom{n}", f"v{n}-sbom", subject=f"v{n}")
        versions.image(f"sig{n}", tag_for(f"v{n}", ".sig")).image(f"bare{n}", subject=f"v{n}")
    expected = {f"{part}{n}" for n in (1, 2) for part in ("v", "sbom", "sig", "bare")}
    assert set(gone(versions, Policy(keep_last=2))) == expected
    assert set(gone(versions, Policy(include=("*",), floor=2))) == expected


def test_a_tagged_artifact_that_is_newer_than_the_newest_images_keeps_its_image() -> None:
    versions = Versions().image("old", "v1").image("v2", "v2").image("v3", "v3").image("v4", "v4")
    versions.image("scan", "v1-scan", subject="old")
    assert gone(versions, Policy(keep_last=2)) == ["v2"]


def test_images_that_tags_tie_into_a_cycle_each_count() -> None:
    versions = (
        Versions().image("a", "a", tag_for("b", ".sig")).image("b", "b", tag_for("a", ".sig"))
    )
    versions.image("c", "c")
    assert gone(versions, Policy(keep_last=3)) == []
    assert set(gone(versions, Policy(include=("*",), floor=2))) == set()
    assert set(gone(versions, Policy(include=("*",), floor=1))) == {"a", "b"}
