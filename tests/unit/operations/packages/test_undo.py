"""Lost responses, crashes, and any order of applying and undoing a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    NetworkError,
)
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.journal import (
    Entry,
    State,
    open_journal,
    read_journal,
)
from ghcrctl.operations.packages.restore import Outcome, restore_run
from tests.registry_double.faults import Fault
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    children_of,
    multi_platform,
    named,
    plan_of,
    releases,
)
from tests.unit.operations.packages.losses import Loss, restores, run_plan

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done
    from tests.packages_double import GitHubDouble


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "plan.json.journal"


@pytest.fixture
def plan(at_github: Session, github: GitHubDouble) -> Plan:
    """A plan that deletes one of two releases: an index and its two images."""
    releases(github, 2)
    return plan_of(at_github, github, OLD_ONES)


@pytest.fixture
def whole(at_github: Session, github: GitHubDouble) -> Plan:
    """A plan that deletes the whole package."""
    releases(github, 2)
    return plan_delete(at_github, named(at_github), github.clock.now)


def there(github: GitHubDouble) -> set[str]:
    return {record.digest for record in github.versions(NAME)}


def states(path: Path) -> dict[int, State]:
    """Return the last state of each version in a journal."""
    return {entry.id: entry.state for entry in read_journal(path)}


def rewind(path: Path, count: int) -> None:
    """Remove the last lines of a journal, as if a crash had prevented them."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-count]))


# Lost responses


@pytest.mark.parametrize("status", [0, 408, 500, 502, 504])
def test_deletions_whose_responses_were_lost_are_deleted_and_undone(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    plan: Plan,
    journal: Path,
    status: int,
) -> None:
    before, tags = there(github), github.tags(NAME)
    github.api.after = Loss(status=status)
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 3}
    assert report.error is None
    assert report.freed == plan.freed
    restored = restore_run(at_github, journal)
    assert {result.outcome for result in restored} == {Outcome.RESTORED}
    assert (there(github), github.tags(NAME)) == (before, tags)


@pytest.mark.parametrize("status", [0, 502])
def test_restores_whose_responses_were_lost_are_restored(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    plan: Plan,
    journal: Path,
    status: int,
) -> None:
    before, tags = there(github), github.tags(NAME)
    run_plan(at_github, plan, tmp_path)
    github.api.after = Loss("POST", status)
    restored = restore_run(at_github, journal)
    assert [result.outcome for result in restored] == [Outcome.RESTORED] * 3
    assert (there(github), github.tags(NAME)) == (before, tags)


@pytest.mark.parametrize("status", [0, 502])
def test_a_package_whose_responses_were_lost_is_deleted_and_restored(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    whole: Plan,
    journal: Path,
    status: int,
) -> None:
    before, tags = there(github), github.tags(NAME)
    github.api.after = Loss(status=status)
    report = run_plan(at_github, whole, tmp_path)
    assert report.counts == {State.DELETED: 6}
    github.api.after = Loss("POST", status)
    restored = restore_run(at_github, journal)
    assert [result.outcome for result in restored] == [Outcome.RESTORED] * 6
    assert (there(github), github.tags(NAME)) == (before, tags)


def test_deletions_of_other_users_are_not_restored(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    gone = children_of(multi_platform(0))[0]
    lost: list[str] = []

    def lose(method: str, path: str) -> None:
        step = next(s for s in plan.steps if s.digest == gone)
        if method == "DELETE" and path.endswith(f"/{step.id}") and not lost:
            lost.append(gone)
            github.lose(NAME, gone)

    github.api.before = lose
    told: list[Done] = []
    run_plan(at_github, plan, tmp_path, told.append)
    assert [d.state for d in told if d.step and d.step.digest == gone] == [State.GONE]
    restore_run(at_github, journal)
    assert gone not in there(github)
    assert restores(github) == 2


def test_a_deletion_that_fails_and_is_carried_out_later_is_ours(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    # Every response is lost, and GitHub still shows the version for a while.
    first = plan.steps[0]
    github.faults.append(Fault("DELETE", f"/{first.id}", status=502, times=2))
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts[State.FAILED] == 1
    assert states(journal)[first.id] is State.BEGUN
    github.lose(NAME, first.digest)
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts == {State.DELETED: 3}
    restore_run(at_github, journal)
    assert first.digest in there(github)


def test_a_deletion_that_is_denied_after_a_lost_response_may_be_ours(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    before = there(github)

    def revoke(method: str, _path: str) -> None:
        if github.count("DELETE") and method == "DELETE":
            github.accounts["octo"] = "ghp_other"

    github.api.before, github.api.after = revoke, Loss(status=502)
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts == {State.DENIED: 1}
    assert report.ends_run
    assert states(journal) == {plan.steps[0].id: State.BEGUN}
    github.api.before = lambda _method, _path: None
    github.accounts["octo"] = "ghp_octo"
    assert [r.outcome for r in restore_run(at_github, journal)] == [Outcome.RESTORED]
    assert there(github) == before


def test_a_deletion_that_was_never_sent_is_not_ours(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    first = plan.steps[0]
    github.faults.append(
        Fault("DELETE", f"/{first.id}", status=429, headers={"Retry-After": "9999"})
    )
    with pytest.raises(NetworkError):
        run_plan(at_github, plan, tmp_path)
    assert states(journal) == {first.id: State.FAILED}
    github.lose(NAME, first.digest)
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts == {State.GONE: 1, State.DELETED: 2}
    restore_run(at_github, journal)
    assert first.digest not in there(github)


def test_a_connection_that_breaks_each_time_leaves_the_deletion_begun(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    before = there(github)
    github.api.after = Loss(status=0)
    github.faults.append(Fault("DELETE", after=1, times=9, hang_up=True))
    with pytest.raises(NetworkError):
        run_plan(at_github, plan, tmp_path)
    assert states(journal) == {plan.steps[0].id: State.BEGUN}
    restored = restore_run(at_github, journal)
    assert [result.outcome for result in restored] == [Outcome.RESTORED]
    assert there(github) == before


# Crashes


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("then", ["apply", "restore"])
def test_a_crash_after_any_request_loses_nothing(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    plan: Plan,
    lines: int,
    then: str,
) -> None:
    journal = tmp_path / "plan.json.journal"
    before, tags = there(github), github.tags(NAME)
    run_plan(at_github, plan, tmp_path)
    # Each version has one line before and one after its deletion. An odd number also removes
    # the line after a deletion; versions without a line still exist.
    for step in plan.steps[len(plan.steps) - lines // 2 :]:
        record = next(r for r in github.deleted(NAME) if r.id == step.id)
        github.content.bring_back(NAME, record, tags=True)
    rewind(journal, lines)
    if then == "apply":
        report = run_plan(at_github, plan, tmp_path)
        assert report.counts == {State.DELETED: 3}
    if read_journal(journal):
        restore_run(at_github, journal)
    assert (there(github), github.tags(NAME)) == (before, tags)


def test_a_version_that_was_begun_and_never_deleted_still_exists(
    at_github: Session, github: GitHubDouble, plan: Plan, journal: Path
) -> None:
    first = plan.steps[0]
    with open_journal(journal, [plan]) as notes:
        notes.note(Entry(plan.name, first.id, first.digest, first.tags, State.BEGUN))
    restored = restore_run(at_github, journal)
    assert [(r.id, r.outcome) for r in restored] == [(first.id, Outcome.THERE)]
    assert restores(github) == 0
    assert states(journal) == {first.id: State.RESTORED}


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("then", ["apply", "restore"])
def test_a_crash_while_a_package_is_deleted_loses_nothing(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    whole: Plan,
    sent: bool,
    then: str,
) -> None:
    journal = tmp_path / "plan.json.journal"
    before, tags = there(github), github.tags(NAME)
    run_plan(at_github, whole, tmp_path)
    rewind(journal, 7)
    assert set(states(journal).values()) == {State.BEGUN}
    if not sent:
        github.content.bring_package_back(NAME)
    if then == "apply":
        report = run_plan(at_github, whole, tmp_path)
        assert report.counts == {State.DELETED: 6}
        assert NAME not in github.content.packages
    restored = restore_run(at_github, journal)
    came_back = sent or then == "apply"
    assert {r.outcome for r in restored} == {Outcome.RESTORED if came_back else Outcome.THERE}
    assert (there(github), github.tags(NAME)) == (before, tags)
