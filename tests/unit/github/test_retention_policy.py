"""The rules of a policy for single tags and dates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ghcrctl.errors import InvalidFilterError
from ghcrctl.github.records import Version
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, digest_of

SECOND = timedelta(seconds=1)


def version(created: int = 10, updated: int = 5) -> Version:
    """Return a version that is some days old."""
    days = timedelta(days=1)
    return Version(1, digest_of("x"), (), NOW - created * days, NOW - updated * days)


@pytest.mark.parametrize(("by", "days"), [("created", 10), ("updated", 5)])
def test_older_and_newer_exclude_equality(by: str, days: int) -> None:
    then = NOW - timedelta(days=days)
    for later, is_older in ((SECOND, True), (timedelta(0), False), (-SECOND, False)):
        assert Policy(by=by, older_than=then + later).has_age(version()) is is_older
    for later, is_newer in ((-SECOND, True), (timedelta(0), False), (SECOND, False)):
        assert Policy(by=by, newer_than=then + later).has_age(version()) is is_newer
    both = Policy(by=by, older_than=then + SECOND, newer_than=then - SECOND)
    assert both.has_age(version())
    assert not Policy(by=by, older_than=then + SECOND, newer_than=then + SECOND).has_age(version())
    assert Policy(by=by).has_age(version())


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), []),
        (Policy(keep_last=0), ["a", "b"]),
        (Policy(include=("a",)), ["a"]),
        (Policy(include=("a", "b"), keep_last=3), ["a", "b"]),
        (Policy(include=("c",), keep_last=3), []),
    ],
)
def test_tags_are_included_by_pattern_or_by_keep_last(policy: Policy, expected: list[str]) -> None:
    assert policy.included(["a", "b"]) == expected


def test_any_pattern_of_exclude_protects() -> None:
    assert Policy(exclude=("x", "b*")).protecting(["a", "b1", "b2"]) == ["b1", "b2"]
    assert Policy().protecting(["a"]) == []


def test_a_tag_is_stale_if_one_pattern_matches_and_it_is_not_live() -> None:
    stale = (lambda tag: tag.startswith("pr"), lambda tag: tag.endswith("x"))
    live = (lambda tag: tag == "pr-7", lambda tag: tag == "7x")
    tags = ["pr-6", "pr-7", "6x", "7x", "other"]
    assert Policy(stale_tags=stale).stale(tags) == ["pr-6", "pr-7", "6x", "7x"]
    assert Policy(stale_tags=stale, live_tags=live).stale(tags) == ["pr-6", "6x"]
    assert Policy(live_tags=live).stale(tags) == []


def test_an_image_is_in_each_group_of_its_tags() -> None:
    tags = ["v1.0", "v1.1", "v2.0", "main"]
    assert Policy(group_by=r"^v(\d+)\.").groups(tags) == {"1", "2"}
    assert Policy(group_by=r"^v(\d+)\.").groups(["main"]) == set()
    assert Policy().groups(tags) == {""}
    assert Policy().groups([]) == set()


def test_without_rules_only_unneeded_versions_may_be_deleted() -> None:
    policy = Policy()
    chosen = (policy.untagged, policy.orphaned)
    others = (policy.orphaned_unseen, policy.ghosts, policy.partial)
    assert (chosen, others) == ((True, True), (False, False, False))
    assert (policy.by, policy.if_empty, policy.least) == ("created", "keep", 1)
    assert policy.min_age == timedelta(hours=6)


@pytest.mark.parametrize(
    "policy", [Policy(include=("re:(",)), Policy(exclude=("re:(",)), Policy(group_by="(")]
)
def test_an_invalid_pattern_is_found_before_planning(policy: Policy) -> None:
    Policy(include=("a",), exclude=("re:b",), group_by="c").check()
    with pytest.raises(InvalidFilterError):
        policy.check()
