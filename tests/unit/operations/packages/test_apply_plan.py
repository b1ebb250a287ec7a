"""Applying a plan after changes, refusals and crashes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.digest import Digest
from ghcrctl.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from ghcrctl.operations.packages import apply_plan as applying
from ghcrctl.operations.packages.apply_plan import Done, Report, apply_plan
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
    """Read the list of versions before each step, and not only every few seconds."""
    monkeypatch.setattr(applying, "_MAX_LIST_AGE_SECONDS", 0.0)


def applied(session: Session, plan: Plan, folder: Path) -> tuple[Report, list[Done]]:
    told: list[Done] = []
    with open_journal(folder / "plan.json.journal") as journal:
        report = apply_plan(session, plan, journal, tell=told.append)
    return report, told


def states(told: list[Done]) -> list[State]:
    return [done.state for done in told]


# Nothing changed


def test_a_plan_is_carried_out_exactly(
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


def test_a_second_run_repeats_nothing(
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


# Changes by others


def test_a_missing_version_is_not_a_failure(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    github.lose(NAME, plan.steps[0].digest)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.GONE] + [State.DELETED] * 5
    assert report.error is None


def test_an_image_tagged_since_is_kept_with_its_dependencies(
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


def test_an_image_untagged_since_is_kept(
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


def test_a_child_of_an_index_pushed_since_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    # It has the same image for one platform, and a new one for the other.
    github.push(NAME, "next", index_of(random_image(seed=0), random_image(seed=99)))
    applied(at_github, plan, tmp_path)
    assert github.has(NAME, github.tags(NAME)["next"])
    assert not github.has(NAME, str(old.root.digest))


def test_a_version_tagged_after_the_list_was_read_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)

    def tag(_method: str, path: str) -> None:
        # The list was read before; this request reads the version itself.
        if path.endswith(f"/versions/{plan.steps[0].id}"):
            github.api.before = lambda *_: None
            github.push(NAME, "stable", old)

    github.api.before = tag
    report, told = applied(at_github, plan, tmp_path)
    assert github.count("DELETE") == 0
    assert report.counts == {State.CHANGED: 3}
    assert told[0].why == "it is now tagged `stable`"


def test_a_version_tagged_since_is_reported_with_its_tag(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    github.push(NAME, "stable", old)
    _, told = applied(at_github, plan, tmp_path)
    assert told[0].why == "it is now tagged `stable`"
    assert github.count("GET", f"/versions/{plan.steps[0].id}") == 0


def test_a_signature_pushed_since_keeps_its_subject(
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


def test_an_unlisted_manifest_pushed_since_keeps_its_dependencies(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    # It is built before the leaf is pushed, so that both can list it.
    leaf = str(Digest.of(image("leaf")[0]))
    middle = index_listing(leaf)
    plan, leaf = plan_with_a_missing_child(at_github, github, middle)
    github.content.lag = 1000
    github.put_raw(NAME, None, middle, OCI_INDEX)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED, State.CHANGED]
    assert github.has(NAME, leaf)


def test_an_unlisted_unreadable_manifest_prevents_deletions(
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
def test_an_unreadable_version_prevents_deletions(
    at_github: Session, github: GitHubDouble, tmp_path: Path, how: str
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    if how == "pushed since":
        github.put_raw(NAME, "odd", b'{"schemaVersion": 2, "who": "knows"}', OCI_MANIFEST)
    else:
        digest = github.tags(NAME)["v2"]
        github.faults.append(Fault("GET", f"/manifests/{digest}", status=404, times=99))
        # Another machine applies the plan, with an empty cache.
        shutil.rmtree(at_github.settings.cache_dir)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.CHANGED: 6}
    assert github.count("DELETE") == 0


def test_a_planned_version_that_became_unreadable_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    # Its digest is the planned one, so its content is known.
    github.faults.append(Fault("GET", f"/manifests/{plan.steps[0].digest}", status=404, times=99))
    shutil.rmtree(at_github.settings.cache_dir)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 3}


def test_an_unreadable_version_prevents_all_but_named_deletions(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_delete(at_github, named(at_github, f"{NAME}:v0"), github.clock.now)
    github.put_raw(NAME, "odd", b'{"schemaVersion": 2, "who": "knows"}', OCI_MANIFEST)
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED, State.CHANGED, State.CHANGED]
    assert told[1].why == "another version may need it now"
    assert {record.digest for record in github.versions(NAME)} >= set(children_of(old))


def test_a_named_version_that_an_index_lists_since_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_delete(at_github, named(at_github, f"{NAME}:v0"), github.clock.now)
    github.put_raw(NAME, "outer", index_listing(str(old.root.digest)), OCI_INDEX)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.CHANGED: 3}
    assert github.has(NAME, github.tags(NAME)["outer"])


def test_a_named_signature_is_deleted_and_its_subject_is_kept(
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
        # Every second deletion is followed by a push of a release with platforms in the plan.
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
    # A push during the deletion itself cannot be detected in time.
    assert broken in ([], ["re0"], [pushed[-1]])


def test_a_push_just_before_a_step_is_detected(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    [old, *_] = releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    child = children_of(old)[0]

    def push(method: str, _path: str) -> None:
        # This happens between the deletion of the index and that of its children.
        if method == "DELETE":
            github.api.before = lambda *_: None
            github.push(NAME, "re", index_of(random_image(seed=0), random_image(seed=200)))

    github.api.before = push
    _, told = applied(at_github, plan, tmp_path)
    assert github.has(NAME, github.tags(NAME)["re"])
    kept = [done for done in told if done.step and done.step.digest == child]
    assert states(kept) == [State.CHANGED]
    assert "may need it now" in kept[0].why
