"""Carrying a plan out: what changed meanwhile, what GitHub refuses, what a crash leaves."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.digest import Digest
from ghcrctl.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from ghcrctl.operations.packages import apply as applying
from ghcrctl.operations.packages.apply import Done, Report, apply_plan
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.journal import State, open_journal
from tests.builders import index_of, random_image
from tests.registry_double import Fault
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

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble


@pytest.fixture(autouse=True)
def always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each step find out what others pushed, and not only one in several seconds."""
    monkeypatch.setattr(applying, "_MAX_LIST_AGE_SECONDS", 0.0)


def applied(session: Session, plan: Plan, folder: Path) -> tuple[Report, list[Done]]:
    told: list[Done] = []
    with open_journal(folder / "plan.json.journal") as journal:
        report = apply_plan(session, plan, journal, tell=told.append)
    return report, told


def states(told: list[Done]) -> list[State]:
    return [done.state for done in told]


# Nothing changed


def test_what_a_plan_says_is_what_is_done(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    made = releases(github)
    before = {record.digest for record in github.versions(NAME)}
    plan = through_file(plan_of(at_github, github, OLD_ONES), tmp_path)
    report, told = applied(at_github, plan, tmp_path)
    after = {record.digest for record in github.versions(NAME)}
    assert before - after == {step.digest for step in plan.steps}
    assert len(plan.steps) == 6
    assert states(told) == [State.DELETED] * 6
    assert report.freed == plan.freed
    assert report.error is None
    assert github.tags(NAME) == {"v2": str(made[2].root.digest)}
    assert github.has(NAME, str(made[2].root.digest))


def test_indexes_are_deleted_before_what_they_list(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    first, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    applied(at_github, plan, tmp_path)
    order = [record.digest for record in github.deleted(NAME)]
    assert order[0] == str(first.root.digest)
    assert set(order[1:]) == set(children_of(first))


def test_a_second_start_does_nothing_twice(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    applied(at_github, plan, tmp_path)
    count = github.count("DELETE")
    report, told = applied(at_github, plan, tmp_path)
    assert github.count("DELETE") == count
    assert all(done.was_done for done in told)
    assert report.counts == {State.DELETED: 6}


# Somebody else was there meanwhile


def test_a_version_that_is_gone_already_is_no_failure(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    github.lose(NAME, plan.steps[0].digest)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.GONE] + [State.DELETED] * 5
    assert report.error is None


def test_an_image_that_was_tagged_since_stays_with_what_it_needs(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    github.push(NAME, "stable", old)
    report, told = applied(at_github, plan, tmp_path)
    assert github.has(NAME, github.tags(NAME)["stable"])
    changed = [done for done in told if done.state is State.CHANGED]
    assert {done.step.digest for done in changed if done.step} == {
        str(old.root.digest),
        *children_of(old),
    }
    assert report.counts[State.DELETED] == 3
    assert report.error is None


def test_an_image_that_lost_a_tag_since_stays(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    github.push(NAME, "old", old, days_ago(github, 50))
    plan = plan_of(at_github, github, OLD_ONES)
    github.push(NAME, "old", multi_platform(77))
    _report, told = applied(at_github, plan, tmp_path)
    assert "no longer tagged `old`" in next(d.why for d in told if d.state is State.CHANGED)
    assert github.has(NAME, github.tags(NAME)["old"])
    assert github.has(NAME, github.tags(NAME)["v0"])


def test_a_child_that_an_index_pushed_since_lists_stays(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    # The same image for one platform, a new one for the other.
    github.push(NAME, "next", index_of(random_image(seed=0), random_image(seed=99)))
    applied(at_github, plan, tmp_path)
    assert github.has(NAME, github.tags(NAME)["next"])
    assert not github.has(NAME, str(old.root.digest))


def test_a_version_that_is_tagged_after_the_last_look_stays(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)

    def tag(_method: str, path: str) -> None:
        # The list has been read; this reads the version itself.
        if path.endswith(f"/versions/{plan.steps[0].id}"):
            github.api.before = lambda *_: None
            github.push(NAME, "stable", old)

    github.api.before = tag
    report, told = applied(at_github, plan, tmp_path)
    assert github.count("DELETE") == 0
    assert report.counts == {State.CHANGED: 3}
    assert told[0].why == "it is now tagged `stable`"


def test_a_version_that_was_tagged_since_is_named_with_its_tag(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    github.push(NAME, "stable", old)
    _, told = applied(at_github, plan, tmp_path)
    assert told[0].why == "it is now tagged `stable`"
    assert github.count("GET", f"/versions/{plan.steps[0].id}") == 0


def test_what_became_a_signature_since_keeps_its_subject(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    first, second, *_ = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    subject = str(first.root.digest)
    github.push(NAME, f"{subject.replace(':', '-')}.sig", second)
    applied(at_github, plan, tmp_path)
    assert github.has(NAME, str(second.root.digest))
    assert github.has(NAME, subject)


def index_listing(*digests: str) -> bytes:
    """Return an index that lists some manifests."""
    entries = [{"mediaType": OCI_MANIFEST, "digest": d, "size": 100} for d in digests]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def plan_with_a_missing_child(
    session: Session, github: GitHubDouble, child: bytes, tag: str | None = "old"
) -> tuple[Plan, str]:
    """Plan to delete an index that lists a missing manifest; return the plan and its leaf."""
    leaf = github.put_raw(NAME, None, *image("leaf"), days_ago(github, 50))
    lacking = index_listing(str(Digest.of(child)), leaf)
    github.put_raw(NAME, tag, lacking, OCI_INDEX, days_ago(github, 49))
    github.push(NAME, "new", multi_platform(9), days_ago(github, 10))
    plan = plan_of(session, github, OLD_ONES)
    assert [step.digest for step in plan.steps] == [str(Digest.of(lacking)), leaf]
    return plan, leaf


def image(name: str) -> tuple[bytes, str]:
    """Return a small manifest and its media type."""
    config = {"mediaType": OCI_CONFIG, "digest": str(Digest.of(name.encode())), "size": 2}
    data = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    return json.dumps(data).encode(), OCI_MANIFEST


def test_a_manifest_that_came_since_and_is_not_listed_keeps_what_it_needs(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    # Built before the leaf is there, so that both can list it.
    leaf = str(Digest.of(image("leaf")[0]))
    middle = index_listing(leaf)
    plan, leaf = plan_with_a_missing_child(at_github, github, middle)
    github.content.lag = 1000
    github.put_raw(NAME, None, middle, OCI_INDEX)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED, State.CHANGED]
    assert github.has(NAME, leaf)


def test_beside_a_manifest_that_is_neither_listed_nor_readable_nothing_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    odd = b'{"schemaVersion": 2, "who": "knows"}'
    plan, leaf = plan_with_a_missing_child(at_github, github, odd)
    github.content.lag = 1000
    github.put_raw(NAME, None, odd, OCI_MANIFEST)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.CHANGED] * 2
    assert github.count("DELETE") == 0
    assert github.has(NAME, leaf)


@pytest.mark.parametrize("how", ["pushed since", "unreadable since"])
def test_beside_a_version_that_cannot_be_read_nothing_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path, how: str
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    if how == "pushed since":
        github.put_raw(NAME, "odd", b'{"schemaVersion": 2, "who": "knows"}', OCI_MANIFEST)
    else:
        digest = github.tags(NAME)["v2"]
        github.faults.append(Fault("GET", f"/manifests/{digest}", status=404, times=99))
        # Another machine applies the plan, and has nothing cached.
        shutil.rmtree(at_github.settings.cache_dir)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.CHANGED: 6}
    assert github.count("DELETE") == 0


def test_a_planned_version_that_cannot_be_read_by_now_is_deleted_all_the_same(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    # Its digest is the one that the plan was made from, so its content is known.
    github.faults.append(Fault("GET", f"/manifests/{plan.steps[0].digest}", status=404, times=99))
    shutil.rmtree(at_github.settings.cache_dir)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 3}


def test_beside_an_unreadable_version_only_the_named_one_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_delete(at_github, named(at_github, f"{NAME}:v0"), github.clock.now)
    github.put_raw(NAME, "odd", b'{"schemaVersion": 2, "who": "knows"}', OCI_MANIFEST)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED, State.CHANGED, State.CHANGED]
    assert told[1].why == "another version may need it now"
    assert {record.digest for record in github.versions(NAME)} >= set(children_of(old))


def test_a_named_version_that_an_index_lists_by_now_stays(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_delete(at_github, named(at_github, f"{NAME}:v0"), github.clock.now)
    github.put_raw(NAME, "outer", index_listing(str(old.root.digest)), OCI_INDEX)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.CHANGED: 3}
    assert github.has(NAME, github.tags(NAME)["outer"])


def test_a_named_signature_is_deleted_though_its_subject_stays(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 1)
    subject = github.tags(NAME)["v0"]
    tag = f"{subject.replace(':', '-')}.sig"
    github.push(NAME, tag, random_image(seed=70))
    plan = plan_delete(at_github, named(at_github, f"{NAME}:{tag}"), github.clock.now)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED]
    assert github.has(NAME, subject)


def test_a_publisher_that_pushes_during_the_run_loses_nothing(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 6)
    plan = plan_of(at_github, github, OLD_ONES)
    pushed: list[str] = []

    def push(method: str, _path: str) -> None:
        # A release made of platforms that are about to go, after every second deletion.
        if method == "DELETE" and len(pushed) < 5:
            number = len(pushed)
            pushed.append(f"re{number}")
            github.push(
                NAME,
                f"re{number}",
                index_of(random_image(seed=number), random_image(seed=200 + number)),
            )

    github.api.before = push
    applied(at_github, plan, tmp_path)
    assert pushed
    broken = [tag for tag, digest in github.tags(NAME).items() if not github.has(NAME, digest)]
    # What was being deleted at the very moment that it was pushed cannot be seen in time.
    assert broken in ([], ["re0"], [pushed[-1]])


def test_what_is_pushed_just_before_a_step_is_seen_by_it(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    [old, *_] = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    child = children_of(old)[0]

    def push(method: str, _path: str) -> None:
        # Between the index's deletion and its children's.
        if method == "DELETE":
            github.api.before = lambda *_: None
            github.push(NAME, "re", index_of(random_image(seed=0), random_image(seed=200)))

    github.api.before = push
    _, told = applied(at_github, plan, tmp_path)
    assert github.has(NAME, github.tags(NAME)["re"])
    kept = [done for done in told if done.step and done.step.digest == child]
    assert states(kept) == [State.CHANGED]
    assert "may need it now" in kept[0].why
