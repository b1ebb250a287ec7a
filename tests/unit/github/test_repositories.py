"""Stale tags: of closed pull requests and deleted branches."""

from __future__ import annotations

import pytest

from ghcrctl.errors import InvalidFilterError
from ghcrctl.github.repositories import tags_of_closed, tags_of_deleted


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        ("pr-{number}", "pr-12", True),
        ("pr-{number}", "pr-7", False),
        # Open is 7; 71 and 17 are other pull requests.
        ("pr-{number}", "pr-71", True),
        ("pr-{number}", "pr-17", True),
        ("pr-{number}", "pr-12-amd64", False),
        ("pr-{number}*", "pr-12-amd64", True),
        ("pr-{number}*", "pr-7-amd64", False),
        ("pr-{number}*", "pr-71", True),
        ("*-{number}", "feature-x-12", True),
        ("*-{number}", "feature-x-7", False),
        ("pr-{number}", "pr-", False),
        ("pr-{number}", "v1.2", False),
        ("pr-{number}", "pr-\u0667", False),
        ("pr-{number}", "pr-007", False),
        ("pr.{number}", "prx12", False),
    ],
)
def test_tags_of_closed_pull_requests(pattern: str, tag: str, expected: bool) -> None:
    assert tags_of_closed(pattern, {7})(tag) is expected


@pytest.mark.parametrize("tag", ["pr17", "17", "17-9", "9-17", "x17y9"])
def test_a_tag_that_may_belong_to_an_open_pull_request_is_kept(tag: str) -> None:
    # `*` could match the 1 of 17, or all of it.
    assert not tags_of_closed("*{number}*", {17})(tag)


@pytest.mark.parametrize("tag", ["x-gone-main", "main-gone", "main"])
def test_a_tag_that_may_belong_to_an_existing_branch_is_kept(tag: str) -> None:
    assert not tags_of_deleted("*{branch}*", {"main"})(tag)


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        ("branch-{branch}", "branch-gone", True),
        ("branch-{branch}", "branch-main", False),
        ("branch-{branch}", "branch-feature-x", False),
        ("branch-{branch}", "branch-FEATURE-X", False),
        ("branch-{branch}", "other", False),
        ("{branch}-????", "main-abcd", False),
        ("{branch}-????", "gone-abcd", True),
    ],
)
def test_tags_of_deleted_branches(pattern: str, tag: str, expected: bool) -> None:
    assert tags_of_deleted(pattern, {"main", "Feature/X"})(tag) is expected


# All ways in which tools convert the name of an existing branch to a tag.
MADE_OF_BRANCHES = [
    ("Feature/x", "feature-x"),
    ("feature/x", "Feature-X"),
    ("feature/x", "feature_x"),
    ("feature/x", "featurex"),
    ("feature/x", "x"),
    ("a/b/c", "b-c"),
    ("fix(api)!: #12", "fix-api-12"),
    ("fix(api)!: #12", "fix-api-----12"),
    ("fix(api)!", "fix-api-"),
    ("release/1.2_x", "release-1-2-x"),
    ("release/1.2", "release-1.2"),
    ("größe", "gr-e"),
    ("größe", "gr--e"),
    ("功能/新", "-"),
    ("dependabot/npm_and_yarn/@types/node-20.1", "dependabot-npm_and_yarn-types-node-20.1"),
    ("feature/" + "long-" * 40, ("feature-" + "long-" * 40)[:121]),
    ("feature/" + "long-" * 40, ("feature-" + "long-" * 40)[:63].strip("-")),
    ("feature/a-name-that-is-cut", "feature-a-name-that-"),
    ("main", "main-amd64"),
    ("main", "main-linux-arm-v7"),
    ("main", "main-0123abc"),
    ("main", "main-sha-0123abc"),
    ("main", "main-20260131"),
    ("feature/x", "feature-x-0123abc-arm64"),
]


@pytest.mark.parametrize(("branch", "part"), MADE_OF_BRANCHES)
def test_a_converted_branch_name_is_kept(branch: str, part: str) -> None:
    origin = tags_of_deleted("branch-{branch}", ["other", branch])
    assert not origin(f"branch-{part}")
    assert origin.may_exist(f"branch-{part}")


@pytest.mark.parametrize(
    ("branch", "part"),
    [
        ("feature/x", "feature-xy"),
        ("feature/x", "feature"),
        ("feature/x", "feature-x-2"),
        ("feature/x", "feature-x-fix"),
        ("release-10", "release-1"),
        ("release/1.1", "release-11"),
        ("main", "main-fix"),
        ("main", "mainline"),
        ("feature/a-name-that-is-cut", "feature-a-name-that"),
        ("feature/a-name-that-is-cut", "feature-a-name-that-was"),
        ("feature/a-name-that-is-cut", "zzz-feature-a-name-that-is-cut"),
        ("main", "-"),
    ],
)
def test_a_tag_of_another_branch_is_deleted(branch: str, part: str) -> None:
    origin = tags_of_deleted("branch-{branch}", ["another", branch])
    assert origin(f"branch-{part}")
    assert not origin.may_exist(f"branch-{part}")


def test_an_unmatched_tag_is_never_stale() -> None:
    for origin in (tags_of_deleted("branch-{branch}", []), tags_of_closed("pr-{number}", {7})):
        assert not origin("v1")
        assert not origin.may_exist("v1")


def test_leading_zeros_do_not_change_the_pull_request() -> None:
    assert tags_of_closed("pr-{number}", {7}).may_exist("pr-007")
    assert tags_of_closed("*{number}*", {7}).may_exist("pr-007-12")


@pytest.mark.parametrize("pattern", ["pr-*", "{number}-{number}", "", "{branch}"])
def test_a_pattern_without_exactly_one_number_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidFilterError, match=r"expected \{number\} once"):
        tags_of_closed(pattern, set())


def test_a_number_is_never_part_of_a_longer_one() -> None:
    assert tags_of_closed("*{number}", {2})("x12")
    assert tags_of_closed("{number}*", {1})("12x")
    assert tags_of_closed("{number}", {1})("7")
    assert not tags_of_closed("{number}", {7})("7")
