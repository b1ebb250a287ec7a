"""Applying a plan: refusals by GitHub, whole packages, and the number of requests."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import DeniedError, RateLimitedError, UnauthorizedError
from ghcrctl.github.retention_policy import Policy
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.journal import State
from tests.packages_double.fixtures import environ_for
from tests.sessions import session_on
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    children_of,
    days_ago,
    multi_platform,
    named,
    plan_of,
    releases,
    through_file,
)
from tests.unit.operations.packages.test_apply_plan import always_looks, applied, states

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

__all__ = ["always_looks"]


# Refusals


def test_a_token_that_is_revoked_during_the_run_ends_it(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)

    def revoke(method: str, _path: str) -> None:
        if method == "DELETE":
            github.accounts["octo"] = "ghp_another"

    github.api.before = revoke
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DENIED]
    assert isinstance(report.error, UnauthorizedError)
    assert github.count("DELETE") == 1


def test_the_last_tagged_version_is_retained_without_a_failure(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    # Another user deletes the version that was to be kept.
    github.lose(NAME, github.tags(NAME)["v2"])
    report, _told = applied(at_github, plan, tmp_path)
    assert report.counts[State.RETAINED] == 1
    assert report.error is None
    [tag] = github.tags(NAME)
    assert github.has(NAME, github.tags(NAME)[tag]), "what a retained version needs stays too"


def test_a_popular_version_is_blocked_and_others_are_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    github.public.add(NAME)
    github.api.limits.popular.add(str(old.root.digest))
    plan = plan_of(at_github, github, OLD_ONES)
    report, told = applied(at_github, plan, tmp_path)
    assert report.counts == {State.BLOCKED: 1, State.CHANGED: 2, State.DELETED: 3}
    assert report.error is None
    assert github.has(NAME, github.tags(NAME)["v0"]), "its children must not go without it"
    [blocked] = [done for done in told if done.state is State.BLOCKED]
    assert "5,000" in blocked.why


def test_a_popular_child_is_blocked_after_its_index_was_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    github.public.add(NAME)
    github.api.limits.popular.add(children_of(old)[0])
    report, _ = applied(at_github, plan_of(at_github, github, OLD_ONES), tmp_path)
    assert report.counts == {State.BLOCKED: 1, State.DELETED: 2}


def test_a_token_that_may_not_delete_is_denied_once(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    github.api.scopes["ghp_octo"] = ("read:packages",)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DENIED]
    assert isinstance(report.error, DeniedError)
    assert "delete:packages" in (report.error.hint or "")
    assert github.count("DELETE") == 1


def test_a_404_for_an_existing_version_is_reported_as_denied(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    github.api.admins[NAME] = {"another"}
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DENIED]
    assert isinstance(report.error, DeniedError)
    assert "can read it, but not delete it" in told[0].why


def test_a_failure_keeps_only_its_dependencies(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)

    def fail(method: str, path: str) -> None:
        if method == "DELETE" and path.endswith(f"/{plan.steps[0].id}"):
            github.api.limits.errors = 1

    github.api.before = fail
    report, _told = applied(at_github, plan, tmp_path)
    assert report.counts == {State.FAILED: 1, State.CHANGED: 2, State.DELETED: 3}
    assert report.error is not None
    github.api.before = lambda *_: None
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 6}, "a second start does what was left"


def test_a_long_rate_limit_stops_and_a_second_run_continues(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)

    def limit(method: str, _path: str) -> None:
        if method == "DELETE" and len(github.deleted(NAME)) == 3:
            github.api.limits.remaining = 0
            github.api.limits.reset = time.time() + 90_000

    github.api.before = limit
    with pytest.raises(RateLimitedError):
        applied(at_github, plan, tmp_path)
    assert len(github.deleted(NAME)) == 3
    github.api.before = lambda *_: None
    github.api.limits.remaining = None
    report, told = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 6}
    assert [done.was_done for done in told] == [True] * 3 + [False] * 3


def test_a_deletion_begun_but_not_ended_counts_as_done(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    applied(at_github, plan, tmp_path)
    path = tmp_path / "plan.json.journal"
    lines = path.read_text().splitlines()
    # The process crashes after GitHub's response, while it writes the journal entry.
    assert json.loads(lines[-1])["state"] == "deleted"
    path.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 6}


# Whole packages


def test_a_package_is_deleted_as_a_whole(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    report, told = applied(at_github, through_file(plan, tmp_path), tmp_path)
    assert states(told) == [State.DELETED]
    assert NAME not in github.content.packages
    assert report.freed == plan.size
    count = github.count("DELETE")
    applied(at_github, plan, tmp_path)
    assert github.count("DELETE") == count


def test_a_package_pushed_to_since_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    github.push(NAME, "new", multi_platform(50))
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.CHANGED]
    assert "new" in github.tags(NAME)


def test_a_package_with_a_version_tagged_since_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    github.push(NAME, "stable", old)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.CHANGED]
    assert github.count("DELETE") == 0
    assert report.freed == 0


# Costs


def fetched(github: GitHubDouble) -> int:
    """Count the fetched manifests; GitHub counts each as a download."""
    return sum(
        entry.method == "GET" and "/manifests/" in entry.path and entry.status == 200
        for entry in github.log
    )


def test_a_second_plan_fetches_no_manifest_again(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 5)
    plan_of(at_github, github, Policy())
    first = fetched(github)
    assert first == len(github.versions(NAME))
    plan_of(at_github, github, OLD_ONES)
    fresh = session_on(
        tmp_path,
        registry=github.host,
        token="ghp_octo",
        environ=environ_for(github, tmp_path),
    )
    with fresh:
        plan_of(fresh, github, Policy())
    assert fetched(github) == first
    github.push(NAME, "v9", multi_platform(9), days_ago(github, 1))
    plan_of(at_github, github, Policy())
    assert fetched(github) == first + 3
