"""Plans over packages written by hand: each fault that clean-up tools were seen to have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ghcrctl.errors import InvalidFilterError, RefusedError, RetainedError
from ghcrctl.github.planner import plan_deletion, plan_whole
from ghcrctl.github.policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions, digest_of, tag_for
from tests.unit.github.plans import deleted, gone, multi_platform, planned, why

# The faults of others, each by its own name


def test_untagged_children_of_a_tagged_index_stay() -> None:
    assert gone(multi_platform("v1")) == []


def test_children_of_an_index_in_an_index_stay() -> None:
    versions = multi_platform().index("outer", ("index",), "v1")
    assert gone(versions) == []


def test_provenance_of_a_single_platform_stays() -> None:
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


def test_keep_last_leaves_alone_what_no_pattern_chooses() -> None:
    versions = Versions().image("a", "other").image("b", "v1").image("c", "v2").image("d", "v3")
    assert gone(versions, Policy(include=("v*",), keep_last=1)) == ["b", "c"]


def test_a_protected_tag_protects_its_image_whatever_other_tags_it_has() -> None:
    versions = Versions().image("a", "pr-1", "latest").image("b", "pr-2").image("c", "main")
    assert gone(versions, Policy(include=("pr-*", "latest"), exclude=("latest",))) == ["b"]


def test_an_image_goes_only_if_all_of_its_tags_are_chosen() -> None:
    versions = Versions().image("a", "pr-1", "v1").image("b", "pr-2").image("c", "main")
    assert gone(versions, Policy(include=("pr-*",))) == ["b"]
    assert why(versions, "a", Policy(include=("pr-*",))) == "it also has the tag `v1`"


def test_a_child_of_two_indexes_goes_with_the_last_of_them_only() -> None:
    versions = Versions().image("shared").index("one", ("shared",), "pr-1")
    versions.index("two", ("shared",), "pr-2").image("main", "main")
    assert gone(versions, Policy(include=("pr-1",))) == ["one"]
    both = planned(versions, Policy(include=("pr-*",)))
    assert [versions.names[step.digest] for step in both.steps] == ["one", "two", "shared"]
    assert set(both.steps[2].follows) == {digest_of("one"), digest_of("two")}


def test_an_index_that_lost_some_images_is_partial_and_no_ghost() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64")
    assert gone(versions, Policy(ghosts=True)) == []
    assert gone(versions, Policy(partial=True)) == ["index", "amd64"]


def test_an_index_that_lost_all_images_is_a_ghost_and_not_partial() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64", "amd64")
    assert gone(versions, Policy(partial=True)) == []
    assert gone(versions, Policy(ghosts=True)) == ["index"]


def test_a_ghost_with_a_protected_tag_stays() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64", "amd64")
    assert gone(versions, Policy(ghosts=True, exclude=("v*",))) == []


def test_a_missing_child_does_not_end_the_plan() -> None:
    versions = multi_platform("v1").image("old").without("arm64")
    assert gone(versions) == ["old"]


def test_an_entry_without_a_platform_is_no_fault() -> None:
    versions = Versions().image("amd64").image("proof")
    versions.index("index", (), "v1", attests=(("proof", "amd64"),))
    assert gone(versions) == ["amd64"]


def test_the_signature_of_an_image_that_stays_stays() -> None:
    versions = Versions().image("image", "v1").image("signature", tag_for("image", ".sig"))
    assert gone(versions, Policy(include=("sha256-*",))) == []


def test_signatures_of_signatures_go_with_the_image() -> None:
    versions = Versions().image("image", "pr-1").image("signature", tag_for("image", ".sig"))
    versions.image("second", tag_for("signature", ".sig")).image("main", "main")
    assert gone(versions, Policy(include=("pr-*",))) == ["image", "signature", "second"]


def test_untagged_referrers_of_an_image_that_stays_stay() -> None:
    versions = Versions().image("image", "v1").image("sbom", subject="image", kind="text/spdx")
    versions.image("signature of the sbom", subject="sbom")
    assert gone(versions) == []


def test_referrers_of_a_platform_of_an_index_that_stays_stay() -> None:
    versions = multi_platform("v1").image("sbom", subject="amd64", kind="text/spdx")
    assert gone(versions) == []


def test_a_list_of_referrers_stays_with_what_it_lists() -> None:
    versions = Versions().image("image", "v1").image("bundle", kind="sigstore.bundle")
    versions.index("list", ("bundle",), tag_for("image"))
    assert gone(versions) == []
    after = Versions().image("bundle", kind="sigstore.bundle")
    after.index("list", ("bundle",), tag_for("image")).image("main", "main")
    assert gone(after, graph=after.knowing("image")) == ["list", "bundle"]


def test_what_a_tagged_artifact_refers_to_stays() -> None:
    versions = Versions().image("untagged").image("chart", "chart-1", subject="untagged")
    assert gone(versions) == []


def test_the_last_tagged_version_is_foreseen() -> None:
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


def test_a_package_of_which_nothing_stays_can_go_as_a_whole() -> None:
    versions = multi_platform("v1")
    plan = planned(versions, Policy(include=("*",), when_empty="delete-package"))
    assert plan.deletes_package
    assert {versions.names[s.digest] for s in plan.steps} == {"amd64", "arm64", "index"}


def test_a_package_does_not_go_while_something_of_it_is_protected() -> None:
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


def test_parents_go_before_their_children() -> None:
    versions = multi_platform().index("outer", ("index",)).image("main", "main")
    assert gone(versions)[:2] == ["outer", "index"]
    assert set(gone(versions)[2:]) == {"amd64", "arm64"}


def test_what_was_just_pushed_stays_though_its_index_is_not_there_yet() -> None:
    versions = Versions().image("main", "main").image("child", hours=5.9)
    assert gone(versions) == []
    assert gone(versions, Policy(min_age=timedelta(hours=5))) == ["child"]


def test_what_is_as_old_as_the_minimum_age_goes() -> None:
    versions = Versions().image("main", "main").image("child", hours=6)
    assert gone(versions) == ["child"]
    assert gone(versions, Policy(min_age=timedelta(hours=6, seconds=1))) == []
    assert gone(versions, Policy(min_age=timedelta(days=999_999_999))) == []


def test_no_minimum_age_lets_what_was_just_pushed_go() -> None:
    versions = Versions().image("main", "main").image("child", hours=0)
    assert gone(versions, Policy(min_age=timedelta(0))) == ["child"]


def test_what_was_just_retagged_stays() -> None:
    versions = Versions().image("main", "main").image("old")
    moved = replace(versions.versions["old"], updated=NOW)
    versions.versions["old"] = moved
    assert gone(versions) == []


def test_what_an_index_lists_under_an_unknown_type_stays() -> None:
    versions = Versions().image("odd").index("index", (), "v1")
    facts = versions.facts[digest_of("index")]
    versions.facts[digest_of("index")] = replace(facts, blobs=((digest_of("odd"), 100),))
    assert gone(versions) == []
    assert gone(versions.image("new", "new"), Policy(include=("v1",))) == ["index", "odd"]


def test_a_builders_cache_is_no_ghost() -> None:
    versions = Versions().index("cache", (), "buildcache").image("main", "main")
    versions.facts[digest_of("cache")] = replace(
        versions.facts[digest_of("cache")], blobs=((digest_of("layer"), 10),), is_cache=True
    )
    assert gone(versions, Policy(ghosts=True, partial=True)) == []


def test_an_expression_that_would_never_end_is_refused() -> None:
    versions = Versions().image("a", "a" * 100 + "b").image("main", "main")
    with pytest.raises(InvalidFilterError, match="takes too long"):
        planned(versions, Policy(include=(r"re:(a|a|aa)+$",)))


def test_digests_that_run_elsewhere_stay_with_what_they_need() -> None:
    versions = multi_platform("pr-1").image("main", "main")
    policy = Policy(include=("pr-*",), protected=frozenset({digest_of("amd64")}))
    assert gone(versions, policy) == ["index", "arm64"]


# The rules


def test_without_rules_only_what_has_no_tag_goes() -> None:
    versions = Versions().image("a", "v1").image("b").image("c", "v2")
    assert gone(versions) == ["b"]
    assert gone(versions, Policy(untagged=False)) == []


def test_keep_last_holds_for_each_group() -> None:
    versions = Versions()
    for tag in ("v1.0", "v1.1", "v1.2", "v2.0", "v2.1", "main"):
        versions.image(tag, tag)
    policy = Policy(keep_last=1, group_by=r"^v(\d+)\.")
    assert gone(versions, policy) == ["v1.0", "v1.1", "v2.0"]
    assert why(versions, "v2.1", policy) == "one of the 1 newest of the group `2`"
    assert why(versions, "main", policy) == "its tags match no group"


def test_an_image_in_two_groups_stays_if_it_is_new_in_either() -> None:
    versions = Versions().image("a", "v1.0", "v2.0").image("b", "v1.1").image("c", "v1.2")
    assert gone(versions, Policy(keep_last=1, group_by=r"v(\d+)")) == ["b"]


def test_closed_and_deleted_ones_go_whatever_keep_last_says() -> None:
    versions = Versions().image("a", "v1").image("b", "pr-1").image("c", "v2").image("d", "pr-2")
    policy = Policy(include=("v*",), keep_last=1, stale_tags=(lambda tag: tag == "pr-1",))
    assert gone(versions, policy) == ["a", "b"]


def test_the_floor_holds_whatever_the_rules_say() -> None:
    versions = Versions()
    for number in range(6):
        versions.image(f"{number}", f"v{number}")
    assert gone(versions, Policy(include=("*",), floor=4)) == ["0", "1"]
    assert gone(versions, Policy(include=("v0",), floor=4)) == ["0"]


def test_newest_untagged_ones_can_stay() -> None:
    versions = Versions().image("a").image("b").image("c").image("main", "main")
    assert gone(versions, Policy(keep_untagged=2)) == ["a"]


@pytest.mark.parametrize(("by", "expected"), [("created", ["old"]), ("updated", [])])
def test_the_date_that_counts_can_be_chosen(by: str, expected: list[str]) -> None:
    versions = Versions().image("old", hours=500).image("main", "main")
    versions.versions["old"] = replace(versions.versions["old"], updated=NOW - timedelta(hours=50))
    assert gone(versions, Policy(older_than=NOW - timedelta(hours=100), by=by)) == expected


def test_spans_narrow_what_goes() -> None:
    versions = Versions().image("a", hours=300).image("b", hours=200).image("c", hours=100)
    versions.image("main", "main")
    policy = Policy(older_than=NOW - timedelta(hours=150), newer_than=NOW - timedelta(hours=250))
    assert gone(versions, policy) == ["b"]


def test_what_cannot_be_read_keeps_everything_and_is_named() -> None:
    versions = Versions().image("a").image("b").image("main", "main").unread("a")
    plan = planned(versions)
    assert not plan.steps
    assert digest_of("a")[:19] in plan.warnings[0]


def test_a_version_that_was_not_listed_keeps_what_it_needs() -> None:
    versions = Versions().image("leaf").index("unlisted", ("leaf",)).image("main", "main")
    del versions.versions["unlisted"]
    assert gone(versions) == []


def test_bytes_are_counted_once_and_only_where_nothing_needs_them() -> None:
    versions = Versions().image("a", layers=("base", "a")).image("b", layers=("base", "b"))
    versions.image("main", "main", layers=("base", "main"))
    plan = planned(versions)
    assert plan.size == 3 * 100 + 4 * 1000
    assert plan.freed == 2 * (100 + 1000)


# One version by name


def test_a_version_goes_with_what_only_it_needs() -> None:
    versions = multi_platform("v1").image("signature", tag_for("index", ".sig"))
    versions.index("other", ("amd64",), "v2")
    assert deleted(versions, "index") == ["index", "signature", "arm64"]


def test_a_version_that_an_index_needs_is_not_deleted() -> None:
    with pytest.raises(RefusedError, match="`v1` needs"):
        deleted(multi_platform("v1").image("main", "main"), "amd64")


def test_a_tagged_artifact_of_a_deleted_image_stays() -> None:
    versions = Versions().image("image", "v1").image("chart", "chart-1", subject="image")
    assert deleted(versions, "image") == ["image"]


def test_the_last_tagged_version_cannot_be_deleted_by_name() -> None:
    with pytest.raises(RetainedError, match="cannot delete all tagged versions") as caught:
        deleted(multi_platform("v1").image("loose"), "index")
    assert caught.value.hint is not None
    assert "packages delete octo/app" in caught.value.hint


def test_what_cannot_be_read_can_be_deleted_by_name() -> None:
    versions = Versions().image("a", "v1").image("b").image("main", "main").unread("a")
    assert deleted(versions, "a") == ["a"]


def test_beside_what_cannot_be_read_only_the_named_version_goes() -> None:
    versions = multi_platform("v1").image("b").image("main", "main").unread("b")
    plan = plan_deletion(versions.graph, [digest_of("index")], NOW, TARGET)
    assert [versions.names[step.digest] for step in plan.steps] == ["index"]
    assert "cannot be read" in plan.warnings[0]


def test_a_whole_package_names_all_of_its_versions() -> None:
    versions = multi_platform("v1")
    plan = plan_whole(versions.graph, NOW, TARGET)
    assert plan.deletes_package
    assert len(plan.steps) == 3
    assert plan.freed == plan.size
