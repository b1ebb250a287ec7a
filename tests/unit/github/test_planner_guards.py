"""Each guard that keeps a version besides the rules, and the reasons shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ghcrctl.errors import InvalidFilterError, RefusedError
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import Versions, digest_of, tag_for
from tests.unit.github.plans import deleted, deletion, gone, multi_platform, planned, reasons, why

# Guards of plans by rules


def test_a_child_is_kept_for_its_second_parent() -> None:
    versions = Versions().image("leaf").index("one", ("leaf",), "pr-1")
    versions.index("two", ("leaf",), "v1")
    assert gone(versions, Policy(include=("pr-*",))) == ["one"]
    assert why(versions, "leaf", Policy(include=("pr-*",))) == "`v1` needs it"


def test_a_cycle_of_tags_is_kept() -> None:
    versions = Versions().image("a", tag_for("b", ".sig")).image("b", tag_for("a", ".sig"))
    versions.image("main", "main")
    assert gone(versions) == []
    assert why(versions, "a") == f"{digest_of('b')[:19]} needs it"


def test_a_cycle_below_a_deleted_index_is_deleted_with_it() -> None:
    versions = Versions().image("a", tag_for("b", ".sig")).image("b", tag_for("a", ".sig"))
    versions.index("index", ("a",)).image("main", "main")
    assert sorted(gone(versions)) == ["a", "b", "index"]


def test_a_cycle_below_a_kept_index_is_kept() -> None:
    versions = Versions().image("a", tag_for("b", ".sig")).image("b", tag_for("a", ".sig"))
    versions.index("index", ("a",), "v1")
    assert gone(versions) == []


def test_a_signature_of_an_unlisted_version_is_not_an_orphan() -> None:
    versions = Versions().image("unlisted").image("signature", tag_for("unlisted", ".sig"))
    versions.image("main", "main")
    del versions.versions["unlisted"]
    assert gone(versions) == []


def test_a_child_of_an_unlisted_index_is_kept() -> None:
    versions = Versions().image("leaf").index("unlisted", ("leaf",))
    versions.index("old", ("leaf", "unlisted")).image("main", "main")
    del versions.versions["unlisted"]
    assert gone(versions) == ["old"]


def test_an_unlisted_unreadable_manifest_keeps_everything() -> None:
    versions = Versions().image("odd").index("old", ("odd",)).image("loose").image("main", "main")
    versions.unread("odd")
    del versions.versions["odd"]
    plan = planned(versions)
    assert not plan.steps
    assert set(reasons(versions, plan).values()) == {
        f"{digest_of('odd')[:19]}, which cannot be read, might need it"
    }


@pytest.mark.parametrize("count", [1, 3, 4])
def test_the_warning_names_up_to_three_unreadable_manifests(count: int) -> None:
    versions = Versions().image("main", "main")
    for number in range(count):
        versions.image(f"odd {number}").unread(f"odd {number}")
    [warning] = planned(versions).warnings
    assert "manifests cannot be read: " in warning
    assert warning.count("the registry failed") == min(count, 3)
    assert (" ..." in warning) == (count > 3)


def test_the_floor_does_not_count_an_image_twice() -> None:
    versions = Versions().image("a", "v1").image("b", "v2").image("c", "latest")
    policy = Policy(include=("*",), exclude=("latest",), floor=2)
    assert gone(versions, policy) == ["a"]
    assert why(versions, "b", policy) == "2 tagged images are always kept"


def test_the_last_tagged_version_is_kept_before_newer_untagged_ones() -> None:
    versions = Versions().image("signature", tag_for("nowhere", ".sig")).image("loose")
    policy = Policy(orphaned_unseen=True)
    assert gone(versions, policy) == ["loose"]
    assert why(versions, "signature", policy) == "GitHub keeps the last tagged version of a package"
    assert gone(versions.image("main", "main"), policy) == ["signature", "loose"]


def test_shared_content_of_deleted_versions_is_freed_once() -> None:
    versions = Versions().image("a", layers=("base",)).image("b", layers=("base",))
    plan = planned(versions.image("main", "main"))
    assert [step.freed for step in plan.steps] == [1100, 100]


def test_versions_kept_by_the_floor_keep_their_dependencies() -> None:
    versions = multi_platform("v1").image("signature", tag_for("amd64", ".sig"))
    assert gone(versions, Policy(include=("*",))) == []


def test_a_version_of_exactly_the_minimum_age_is_old_enough() -> None:
    versions = Versions().image("main", "main").image("old", hours=2)
    assert gone(versions, Policy(min_age=timedelta(hours=2))) == ["old"]
    assert gone(versions, Policy(min_age=timedelta(hours=2, seconds=1))) == []


def test_by_default_versions_untagged_for_six_hours_are_deleted() -> None:
    versions = Versions().image("main", "main").image("old", hours=6).image("new", hours=5.99)
    assert gone(versions) == ["old"]


@pytest.mark.parametrize(
    "policy", [Policy(include=("re:(",)), Policy(exclude=("re:(",)), Policy(group_by="(")]
)
def test_invalid_rules_are_found_before_planning(policy: Policy) -> None:
    with pytest.raises(InvalidFilterError):
        policy.check()
    Policy(include=("v*",), exclude=("latest",), group_by="v(.)").check()


@pytest.mark.parametrize("hours", [1.0, 3.0])
def test_time_ranges_exclude_their_ends(hours: float) -> None:
    versions = Versions().image("edge", hours=hours).image("between", hours=2)
    versions.image("main", "main", hours=100)
    now = planned(versions).made
    policy = Policy(
        older_than=now - timedelta(hours=1),
        newer_than=now - timedelta(hours=3),
        min_age=timedelta(0),
    )
    assert gone(versions, policy) == ["between"]


def test_a_too_new_child_is_kept_with_its_dependencies() -> None:
    versions = Versions().image("child", hours=0.1).index("old", ("child",), hours=90)
    versions.image("sbom", subject="child", hours=80).image("main", "main")
    assert gone(versions) == ["old"]


def test_children_are_deleted_with_their_index_though_untagged_images_stay() -> None:
    versions = multi_platform("v1").image("loose").image("main", "main")
    policy = Policy(include=("v*",), untagged=False)
    assert gone(versions, policy) == ["index", "arm64", "amd64"]


def test_children_do_not_count_among_the_newest_untagged_images() -> None:
    versions = (
        Versions().image("old").image("newer").image("child").index("index", ("child",), "v1")
    )
    assert gone(versions, Policy(keep_untagged=1)) == ["old"]


# Guards of plans by name


def test_an_index_and_its_child_can_be_named_together() -> None:
    versions = multi_platform("v1").image("main", "main")
    assert deleted(versions, "index", "amd64") == ["index", "arm64", "amd64"]


def test_a_child_of_a_named_index_is_kept_for_another_index() -> None:
    versions = multi_platform("v1").index("other", ("amd64",), "v2")
    plan = deletion(versions, "index")
    assert reasons(versions, plan)["amd64"] == "`v2` needs it"


def test_a_version_that_an_unlisted_index_needs_is_not_deleted() -> None:
    versions = Versions().image("leaf").index("unlisted", ("leaf",)).image("main", "main")
    del versions.versions["unlisted"]
    with pytest.raises(RefusedError, match=f"{digest_of('unlisted')[:19]} needs"):
        deleted(versions, "leaf")


def test_a_named_signature_is_deleted_although_its_subject_is_kept() -> None:
    versions = Versions().image("image", "v1").image("signature", tag_for("image", ".sig"))
    [step] = deletion(versions, "signature").steps
    assert step.digest == digest_of("signature")
    assert step.follows == ()


def test_only_named_versions_count_as_requested() -> None:
    plan = deletion(multi_platform("v1").image("main", "main"), "index")
    assert [(step.is_asked, step.reason) for step in plan.steps] == [
        (True, "requested"),
        (False, "only `v1` needs it"),
        (False, "only `v1` needs it"),
    ]


def test_beside_an_unlisted_unreadable_manifest_only_the_named_version_is_deleted() -> None:
    versions = Versions().image("odd").image("leaf").index("index", ("leaf",), "v1")
    versions.image("main", "main").unread("odd")
    del versions.versions["odd"]
    plan = deletion(versions, "index")
    assert [step.digest for step in plan.steps] == [digest_of("index")]
    assert reasons(versions, plan)["leaf"] == (
        f"{digest_of('odd')[:19]}, which cannot be read, might need it"
    )
    assert plan.warnings == (
        f"{digest_of('odd')[:19]} cannot be read (the registry failed); keeping what only the "
        "deleted versions need",
    )


def test_a_named_unreadable_version_needs_no_warning() -> None:
    versions = Versions().image("odd").image("main", "main").unread("odd")
    plan = deletion(versions, "odd")
    assert [step.digest for step in plan.steps] == [digest_of("odd")]
    assert plan.warnings == ()


# Reasons


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(), "no rule selects its tags"),
        (Policy(include=("v*",)), "`v1` matches"),
        (Policy(keep_last=0), "not one of the 0 newest"),
        (Policy(keep_last=2), "one of the 2 newest"),
        (
            Policy(stale_tags=(lambda tag: tag == "v1",)),
            "the branch or pull request of `v1` is deleted or closed",
        ),
        (Policy(include=("v*",), exclude=("v1",)), "`v1` is protected"),
        (Policy(protected=frozenset({digest_of("old")})), "its digest is protected"),
    ],
)
def test_a_tagged_version_has_its_reason(policy: Policy, reason: str) -> None:
    versions = Versions().image("old", "v1").image("main", "main")
    assert why(versions, "old", policy) == reason


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(), "untagged, and no version needs it"),
        (Policy(keep_untagged=1), "one of the 1 newest without a tag"),
        (Policy(by="updated", older_than=None), "untagged, and no version needs it"),
    ],
)
def test_an_untagged_version_has_its_reason(policy: Policy, reason: str) -> None:
    assert why(Versions().image("old").image("main", "main"), "old", policy) == reason


@pytest.mark.parametrize("parents", [2, 3, 4])
def test_a_reason_names_up_to_three_indexes(parents: int) -> None:
    versions = Versions().image("leaf").image("main", "main")
    tags = [f"pr-{number}" for number in range(parents)]
    for tag in tags:
        versions.index(tag, ("leaf",), tag)
    named = ", ".join(f"`{tag}`" for tag in tags[:3])
    more = " and others" if parents > 3 else ""
    assert why(versions, "leaf", Policy(include=("pr-*",))) == f"only {named}{more} need it"


def test_a_partial_index_states_the_number_of_missing_images() -> None:
    versions = multi_platform("v1").image("main", "main").without("arm64")
    assert why(versions, "index", Policy(partial=True)) == "1 of its images are missing"
    versions.without("amd64")
    assert why(versions, "index", Policy(ghosts=True)) == "all of its images are missing"
