"""Plans for packages written by hand: each mistake that clean-up tools are known for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ghcrctl.errors import InvalidFilterError, RefusedError, RetainedError
from ghcrctl.github.deletion_planner import plan_deletion, plan_whole
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions, digest_of, tag_for
from tests.unit.github.plans import deleted, gone, multi_platform, planned, why

# Mistakes of other tools


def test_untagged_children_of_a_tagged_index_are_kept() -> None:
    assert gone(multi_platform("v1")) == []


def test_children_of_a_nested_index_are_kept() -> None:
    versions = multi_platform().index("outer", ("index",), "v1")
    assert gone(versions) == []


def test_provenance_of_a_single_platform_is_kept() -> None:
    versions = Versions().image("amd64").image("proof", kind="application/vnd.in-toto+json")
    versions.index("index", ("amd64",), "v1", attests=(("proof", "amd64"),))
    assert gone(versions) == []


def test_keep_last_counts_images_and_not_tags() -> None:
    versions = Versions()
    for number in range(5):
        versions.image(f"image {number}", f"v{number}", f"also-{number}", f"sha-{number}")
    assert gone(versions, Policy(keep_last=2)) == ["image 0", "image 1", "image 2"]


def test_protected_images_count_among_the_newest() -> None:
    versions = Versions().image("a", "v1").image("b", "v2").image("c", "latest")
    assert gone(versions, Policy(keep_last=2, exclude=("latest",))) == ["a"]


def test_keep_last_ignores_unmatched_tags() -> None:
    versions = Versions().image("a", "other").image("b", "v1").image("c", "v2").image("d", "v3")
    assert gone(versions, Policy(include=("v*",), keep_last=1)) == ["b", "c"]


def test_a_protected_tag_protects_its_image_whatever_other_tags_it_has() -> None:
    versions = Versions().image("a", "pr-1", "latest").image("b", "pr-2").image("c", "main")
    assert gone(versions, Policy(include=("pr-*", "latest"), exclude=("latest",))) == ["b"]


def test_an_image_is_only_deleted_if_all_its_tags_match() -> None:
    versions = Versions().image("a", "pr-1", "v1").image("b", "pr-2").image("c", "main")
    assert gone(versions, Policy(include=("pr-*",))) == ["b"]
    assert why(versions, "a", Policy(include=("pr-*",))) == "it also has the tag `v1`"


def test_a_child_of_two_indexes_is_deleted_with_the_last_one() -> None:
    versions = Versions().image("shared").index("one", ("shared",), "pr-1")
    versions.index("two", ("shared",), "pr-2").image("main", "main")
    assert gone(versions, Policy(include=("pr-1",))) == ["one"]
    both = planned(versions, Policy(include=("pr-*",)))
    assert [versions.names[step.digest] for step in both.steps] == ["one", "two", "shared"]
    assert set(both.steps[2].follows) == {digest_of("one"), digest_of("two")}


def test_an_index_that_lost_some_images_is_partial() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64")
    assert gone(versions, Policy(ghosts=True)) == []
    assert gone(versions, Policy(partial=True)) == ["index", "amd64"]


def test_an_index_that_lost_all_images_is_a_ghost() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64", "amd64")
    assert gone(versions, Policy(partial=True)) == []
    assert gone(versions, Policy(ghosts=True)) == ["index"]


def test_a_ghost_with_a_protected_tag_is_kept() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64", "amd64")
    assert gone(versions, Policy(ghosts=True, exclude=("v*",))) == []


def test_a_missing_child_does_not_end_the_plan() -> None:
    versions = multi_platform("v1").image("old").without("arm64")
    assert gone(versions) == ["old"]


def test_an_entry_without_a_platform_is_valid() -> None:
    versions = Versions().image("amd64").image("proof")
    versions.index("index", (), "v1", attests=(("proof", "amd64"),))
    assert gone(versions) == ["amd64"]


def test_the_signature_of_a_kept_image_is_kept() -> None:
    versions = Versions().image("image", "v1").image("signature", tag_for("image", ".sig"))
    assert gone(versions, Policy(include=("sha256-*",))) == []


def test_signatures_of_signatures_are_deleted_with_the_image() -> None:
    versions = Versions().image("image", "pr-1").image("signature", tag_for("image", ".sig"))
    versions.image("second", tag_for("signature", ".sig")).image("main", "main")
    assert gone(versions, Policy(include=("pr-*",))) == ["image", "signature", "second"]


def test_untagged_referrers_of_a_kept_image_are_kept() -> None:
    versions = Versions().image("image", "v1").image("sbom", subject="image", kind="text/spdx")
    versions.image("signature of the sbom", subject="sbom")
    assert gone(versions) == []


def test_referrers_of_a_platform_of_a_kept_index_are_kept() -> None:
    versions = multi_platform("v1").image("sbom", subject="amd64", kind="text/spdx")
    assert gone(versions) == []


def test_a_referrers_list_is_kept_with_its_entries() -> None:
    versions = Versions().image("image", "v1").image("bundle", kind="sigstore.bundle")
    versions.index("list", ("bundle",), tag_for("image"))
    assert gone(versions) == []
    after = Versions().image("bundle", kind="sigstore.bundle")
    after.index("list", ("bundle",), tag_for("image")).image("main", "main")
    assert gone(after, graph=after.knowing("image")) == ["list", "bundle"]


def test_the_subject_of_a_tagged_artifact_is_kept() -> None:
    versions = Versions().image("untagged").image("chart", "chart-1", subject="untagged")
    assert gone(versions) == []


def test_the_last_tagged_version_is_kept() -> None:
    versions = Versions().image("a", "v1").image("b", "v2").image("loose")
    plan = planned(versions, Policy(include=("*",)))
    assert [versions.names[step.digest] for step in plan.steps] == ["loose", "a"] or [
        versions.names[step.digest] for step in plan.steps
    ] == ["a", "loose"]
    assert why(versions, "b", Policy(include=("*",), floor=0)) == (
        "GitHub keeps the last tagged version of a package"
    )


def test_a_package_without_tags_keeps_its_last_version() -> None:
    versions = Versions().image("a").image("b")
    assert gone(versions) == ["a"]


def test_an_emptied_package_can_be_deleted() -> None:
    versions = multi_platform("v1")
    plan = planned(versions, Policy(include=("*",), when_empty="delete-package"))
    assert plan.deletes_package
    assert {versions.names[s.digest] for s in plan.steps} == {"amd64", "arm64", "index"}


def test_a_package_with_a_protected_version_is_kept() -> None:
    versions = Versions().image("a", "v1").image("b")
    policy = Policy(
        include=("*",), when_empty="delete-package", protected=frozenset({digest_of("b")})
    )
    plan = planned(versions, policy)
    assert not plan.deletes_package
    assert not plan.steps


def test_rules_that_leave_nothing_can_be_an_error() -> None:
    with pytest.raises(RefusedError, match="would delete all tagged versions"):
        planned(multi_platform("v1"), Policy(include=("*",), when_empty="fail"))


def test_parents_are_deleted_before_their_children() -> None:
    versions = multi_platform().index("outer", ("index",)).image("main", "main")
    assert gone(versions)[:2] == ["outer", "index"]
    assert set(gone(versions)[2:]) == {"amd64", "arm64"}


def test_a_new_version_is_kept_before_its_index_is_pushed() -> None:
    versions = Versions().image("main", "main").image("child", hours=5.9)
    assert gone(versions) == []
    assert gone(versions, Policy(min_age=timedelta(hours=5))) == ["child"]


def test_a_version_of_the_minimum_age_is_deleted() -> None:
    versions = Versions().image("main", "main").image("child", hours=6)
    assert gone(versions) == ["child"]
    assert gone(versions, Policy(min_age=timedelta(hours=6, seconds=1))) == []
    assert gone(versions, Policy(min_age=timedelta(days=999_999_999))) == []


def test_without_a_minimum_age_new_versions_are_deleted() -> None:
    versions = Versions().image("main", "main").image("child", hours=0)
    assert gone(versions, Policy(min_age=timedelta(0))) == ["child"]


def test_a_recently_retagged_version_is_kept() -> None:
    versions = Versions().image("main", "main").image("old")
    moved = replace(versions.versions["old"], updated=NOW)
    versions.versions["old"] = moved
    assert gone(versions) == []


def test_entries_of_unknown_type_are_kept() -> None:
    versions = Versions().image("odd").index("index", (), "v1")
    facts = versions.facts[digest_of("index")]
    versions.facts[digest_of("index")] = replace(facts, blobs=((digest_of("odd"), 100),))
    assert gone(versions) == []
    assert gone(versions.image("new", "new"), Policy(include=("v1",))) == ["index", "odd"]


def test_a_build_cache_is_not_a_ghost() -> None:
    versions = Versions().index("cache", (), "buildcache").image("main", "main")
    versions.facts[digest_of("cache")] = replace(
        versions.facts[digest_of("cache")], blobs=((digest_of("layer"), 10),), is_cache=True
    )
    assert gone(versions, Policy(ghosts=True, partial=True)) == []


def test_an_endless_expression_is_refused() -> None:
    versions = Versions().image("a", "a" * 100 + "b").image("main", "main")
    with pytest.raises(InvalidFilterError, match="takes too long"):
        planned(versions, Policy(include=(r"re:(a|a|aa)+$",)))


def test_protected_digests_are_kept_with_their_dependencies() -> None:
    versions = multi_platform("pr-1").image("main", "main")
    policy = Policy(include=("pr-*",), protected=frozenset({digest_of("amd64")}))
    assert gone(versions, policy) == ["index", "arm64"]


# The rules


def test_without_rules_only_untagged_versions_are_deleted() -> None:
    versions = Versions().image("a", "v1").image("b").image("c", "v2")
    assert gone(versions) == ["b"]
    assert gone(versions, Policy(untagged=False)) == []


def test_keep_last_applies_to_each_group() -> None:
    versions = Versions()
    for tag in ("v1.0", "v1.1", "v1.2", "v2.0", "v2.1", "main"):
        versions.image(tag, tag)
    policy = Policy(keep_last=1, group_by=r"^v(\d+)\.")
    assert gone(versions, policy) == ["v1.0", "v1.1", "v2.0"]
    assert why(versions, "v2.1", policy) == "one of the 1 newest of the group `2`"
    assert why(versions, "main", policy) == "its tags match no group"


def test_an_image_in_two_groups_is_kept_if_new_in_either() -> None:
    versions = Versions().image("a", "v1.0", "v2.0").image("b", "v1.1").image("c", "v1.2")
    assert gone(versions, Policy(keep_last=1, group_by=r"v(\d+)")) == ["b"]


def test_stale_tags_are_deleted_despite_keep_last() -> None:
    versions = Versions().image("a", "v1").image("b", "pr-1").image("c", "v2").image("d", "pr-2")
    policy = Policy(include=("v*",), keep_last=1, stale_tags=(lambda tag: tag == "pr-1",))
    assert gone(versions, policy) == ["a", "b"]


def test_the_floor_takes_precedence_over_rules() -> None:
    versions = Versions()
    for number in range(6):
        versions.image(f"{number}", f"v{number}")
    assert gone(versions, Policy(include=("*",), floor=4)) == ["0", "1"]
    assert gone(versions, Policy(include=("v0",), floor=4)) == ["0"]


def test_the_newest_untagged_versions_can_be_kept() -> None:
    versions = Versions().image("a").image("b").image("c").image("main", "main")
    assert gone(versions, Policy(keep_untagged=2)) == ["a"]


@pytest.mark.parametrize(("by", "expected"), [("created", ["old"]), ("updated", [])])
def test_the_date_to_compare_can_be_chosen(by: str, expected: list[str]) -> None:
    versions = Versions().image("old", hours=500).image("main", "main")
    versions.versions["old"] = replace(versions.versions["old"], updated=NOW - timedelta(hours=50))
    assert gone(versions, Policy(older_than=NOW - timedelta(hours=100), by=by)) == expected


def test_time_ranges_limit_deletions() -> None:
    versions = Versions().image("a", hours=300).image("b", hours=200).image("c", hours=100)
    versions.image("main", "main")
    policy = Policy(older_than=NOW - timedelta(hours=150), newer_than=NOW - timedelta(hours=250))
    assert gone(versions, policy) == ["b"]


def test_an_unreadable_manifest_keeps_everything() -> None:
    versions = Versions().image("a").image("b").image("main", "main").unread("a")
    plan = planned(versions)
    assert not plan.steps
    assert digest_of("a")[:19] in plan.warnings[0]


def test_an_unlisted_version_keeps_its_dependencies() -> None:
    versions = Versions().image("leaf").index("unlisted", ("leaf",)).image("main", "main")
    del versions.versions["unlisted"]
    assert gone(versions) == []


def test_freed_bytes_are_counted_once() -> None:
    versions = Versions().image("a", layers=("base", "a")).image("b", layers=("base", "b"))
    versions.image("main", "main", layers=("base", "main"))
    plan = planned(versions)
    assert plan.size == 3 * 100 + 4 * 1000
    assert plan.freed == 2 * (100 + 1000)


# One version by name


def test_a_version_is_deleted_with_its_own_dependencies() -> None:
    versions = multi_platform("v1").image("signature", tag_for("index", ".sig"))
    versions.index("other", ("amd64",), "v2")
    assert deleted(versions, "index") == ["index", "signature", "arm64"]


def test_a_version_that_an_index_needs_is_not_deleted() -> None:
    with pytest.raises(RefusedError, match="`v1` needs"):
        deleted(multi_platform("v1").image("main", "main"), "amd64")


def test_a_tagged_artifact_of_a_deleted_image_is_kept() -> None:
    versions = Versions().image("image", "v1").image("chart", "chart-1", subject="image")
    assert deleted(versions, "image") == ["image"]


def test_the_last_tagged_version_cannot_be_deleted_by_name() -> None:
    with pytest.raises(RetainedError, match="cannot delete all tagged versions") as caught:
        deleted(multi_platform("v1").image("loose"), "index")
    assert caught.value.hint is not None
    assert "packages delete octo/app" in caught.value.hint


def test_an_unreadable_version_can_be_deleted_by_name() -> None:
    versions = Versions().image("a", "v1").image("b").image("main", "main").unread("a")
    assert deleted(versions, "a") == ["a"]


def test_beside_an_unreadable_version_only_the_named_one_is_deleted() -> None:
    versions = multi_platform("v1").image("b").image("main", "main").unread("b")
    plan = plan_deletion(versions.graph, [digest_of("index")], NOW, TARGET)
    assert [versions.names[step.digest] for step in plan.steps] == ["index"]
    assert "cannot be read" in plan.warnings[0]


def test_a_plan_for_a_package_has_all_versions() -> None:
    versions = multi_platform("v1")
    plan = plan_whole(versions.graph, NOW, TARGET)
    assert plan.deletes_package
    assert len(plan.steps) == 3
    assert plan.freed == plan.size
