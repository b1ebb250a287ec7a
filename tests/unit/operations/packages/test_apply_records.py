"""Reports, journal entries and requests of a run that applies a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import DeniedError, PackageUnknownError, RateLimitedError
from ghcrctl.oci import media_types
from ghcrctl.operations.packages import apply_plan as applying
from ghcrctl.operations.packages.apply_plan import Done, apply_plan
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.journal import State, open_journal, read_journal
from tests.builders import index_of, random_image
from tests.registry_double import Fault
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    children_of,
    named,
    plan_of,
    releases,
)
from tests.unit.operations.packages.test_apply_plan import applied, states

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble
    from tests.registry_double.wsgi import Answer, Environ


def lists(github: GitHubDouble) -> int:
    """Count the requests for lists of versions."""
    return sum(e.method == "GET" and e.path.endswith("/versions") for e in github.log)


def test_each_step_is_reported_with_the_total(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    counted: list[tuple[str, int, int]] = []
    with open_journal(tmp_path / "journal") as journal:
        apply_plan(at_github, plan, journal, progress=lambda *step: counted.append(step))
    assert counted == [("versions", 1, 3), ("versions", 2, 3), ("versions", 3, 3)]


def test_steps_of_an_earlier_run_are_reported_as_done_before(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    first, told = applied(at_github, plan, tmp_path)
    assert [done.was_done for done in told] == [False] * 3
    second, told = applied(at_github, plan, tmp_path)
    assert [(done.was_done, done.state) for done in told] == [(True, State.DELETED)] * 3
    assert second.freed == first.freed == plan.freed
    lines = read_journal(tmp_path / "plan.json.journal")
    assert [entry.state for entry in lines] == [State.BEGUN, State.DELETED] * 3


def test_a_kept_version_is_recorded_with_the_reason(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    github.push(NAME, "stable", old)
    report, told = applied(at_github, plan, tmp_path)
    lines = read_journal(tmp_path / "plan.json.journal")
    assert [(entry.state, entry.why) for entry in lines] == [(d.state, d.why) for d in told]
    assert [entry.digest for entry in lines] == [step.digest for step in plan.steps]
    assert lines[0].tags == ("v0",)
    assert report.freed == 0


def test_a_missing_version_frees_nothing(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    for step in plan.steps:
        github.lose(NAME, step.digest)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.GONE] * 3
    assert report.freed == 0


def test_a_number_that_belongs_to_another_version_deletes_nothing(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    kept = next(item for item in plan.kept if item.tags)
    wrong = replace(plan.steps[0], id=kept.id)
    _, told = applied(at_github, replace(plan, steps=(wrong,)), tmp_path)
    assert states(told) == [State.CHANGED]
    assert told[0].why == f"version {kept.id} has another digest"
    assert github.count("DELETE") == 0


def test_the_first_error_is_the_one_that_is_reported(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    plan = plan_of(at_github, github, OLD_ONES)
    first = next(step for step in plan.steps if step.tags == ("v0",))
    second = next(step for step in plan.steps if step.tags == ("v1",))
    for step in (first, second):
        github.faults.append(Fault("DELETE", f"/{step.id}", status=500, times=9))
    report, told = applied(at_github, plan, tmp_path)
    failed = [done for done in told if done.state is State.FAILED]
    assert len(failed) == 2
    assert report.error is failed[0].error


def test_a_rate_limit_before_a_deletion_is_not_a_failed_step(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    github.faults.append(Fault("DELETE", status=429, headers={"Retry-After": "99999"}, times=99))
    with pytest.raises(RateLimitedError):
        applied(at_github, plan, tmp_path)
    lines = read_journal(tmp_path / "plan.json.journal")
    # It is certain that nothing was deleted.
    assert [entry.state for entry in lines] == [State.BEGUN, State.FAILED]


def test_a_version_deleted_by_others_just_before_is_already_gone(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)

    def lose(method: str, _path: str) -> None:
        if method == "DELETE":
            github.api.before = lambda *_: None
            github.lose(NAME, plan.steps[0].digest)

    github.api.before = lose
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.GONE, State.DELETED, State.DELETED]
    assert (told[0].why, told[0].error) == ("", None)
    assert report.error is None
    assert report.freed == plan.freed - plan.steps[0].freed


# When the list is read again


def test_the_first_page_is_read_again_after_each_deletion(
    at_github: Session, github: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "_MAX_LIST_AGE_SECONDS", 600.0)
    releases(github, 4)
    plan = plan_of(at_github, github, OLD_ONES)
    before = lists(github)
    report, _ = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 9}
    assert lists(github) - before == 9


def test_a_child_listed_since_its_sibling_was_deleted_is_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    _, first, last = plan.steps
    listed = {"mediaType": media_types.OCI_MANIFEST, "digest": last.digest, "size": 400}
    raw = json.dumps(
        {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [listed]}
    ).encode()

    def push(environ: Environ, _: Answer) -> None:
        path = f"/versions/{first.id}"
        if environ["REQUEST_METHOD"] == "DELETE" and environ["PATH_INFO"].endswith(path):
            github.put_raw(NAME, "new", raw, media_types.OCI_INDEX)

    github.api.after = push
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED, State.DELETED, State.CHANGED]
    assert last.digest in {record.digest for record in github.versions(NAME)}
    assert report.error is None


def test_only_the_first_page_is_read_again_without_new_versions(
    at_github: Session, github: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "_MAX_LIST_AGE_SECONDS", 0.0)
    releases(github, 60)
    plan = plan_of(at_github, github, OLD_ONES)
    plan = replace(plan, steps=plan.steps[:3])
    before = lists(github)
    applied(at_github, plan, tmp_path)
    # All pages and the first page at both ends, then the first page before each further step.
    assert lists(github) - before == 4 + 2


def test_a_version_pushed_since_the_list_was_read_is_read(
    at_github: Session, github: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "_MAX_LIST_AGE_SECONDS", 0.0)
    old, *_ = releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    told: list[Done] = []

    def push(done: Done) -> None:
        told.append(done)
        if len(told) == 1:
            github.push(NAME, "re", index_of(random_image(seed=0), random_image(seed=200)))

    with open_journal(tmp_path / "journal") as journal:
        apply_plan(at_github, plan, journal, tell=push)
    assert sorted(done.state.value for done in told) == ["changed", "deleted", "deleted"]
    assert github.has(NAME, github.tags(NAME)["re"])
    assert {r.digest for r in github.versions(NAME)} & set(children_of(old))


# Whole packages


def test_a_whole_package_is_recorded_version_by_version_before_it_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 1)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    report, told = applied(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 3}
    assert [done.step for done in told] == [None]
    lines = read_journal(tmp_path / "plan.json.journal")
    expected = [*((step.id, step.digest, step.tags) for step in plan.steps), (0, "", ())]
    assert [(e.id, e.digest, e.tags) for e in lines] == expected * 2
    assert [e.state for e in lines] == [State.BEGUN] * 4 + [State.DELETED] * 4
    before = github.count("DELETE")
    applied(at_github, plan, tmp_path)
    assert read_journal(tmp_path / "plan.json.journal") == lines
    assert github.count("DELETE") == before


def test_a_missing_package_is_reported_as_already_gone(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 1)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    github.content.remove_package(NAME)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.GONE]
    assert report.freed == 0


def test_a_whole_package_whose_deletion_was_begun_before_a_crash_is_deleted(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 1)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    applied(at_github, plan, tmp_path)
    path = tmp_path / "plan.json.journal"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    _, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DELETED]
    assert github.count("DELETE") == 1


def test_a_whole_package_that_is_downloaded_too_often_is_blocked(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    old, *_ = releases(github, 1)
    github.public.add(NAME)
    github.api.limits.popular.add(str(old.root.digest))
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.BLOCKED]
    assert report.freed == 0
    assert github.tags(NAME)


def test_a_whole_package_that_the_token_may_not_delete_is_denied(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 1)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    github.api.scopes["ghp_octo"] = ("read:packages",)
    report, told = applied(at_github, plan, tmp_path)
    assert states(told) == [State.DENIED]
    assert isinstance(report.error, DeniedError)
    assert report.freed == 0


def test_a_version_of_a_missing_package_is_an_error(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    github.content.remove_package(NAME)
    with pytest.raises(PackageUnknownError):
        applied(at_github, plan, tmp_path)
