"""Tags that are left over: of pull requests that are closed, of branches that are deleted."""

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
def test_a_tag_that_could_be_of_an_open_pull_request_stays(tag: str) -> None:
    # `*` could take the 1 of 17, or the whole of it.
    assert not tags_of_closed("*{number}*", {17})(tag)


@pytest.mark.parametrize("tag", ["x-gone-main", "main-gone", "main"])
def test_a_tag_that_could_be_of_a_branch_that_is_there_stays(tag: str) -> None:
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


@pytest.mark.parametrize("pattern", ["pr-*", "{number}-{number}", "", "{branch}"])
def test_a_pattern_without_a_single_place_for_the_number_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidFilterError, match=r"must have \{number\} once"):
        tags_of_closed(pattern, set())
