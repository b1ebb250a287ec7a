"""Undoing deletions of whole packages, orders of apply and undo, and errors that end an undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    DeniedError,
    NetworkError,
    PackageUnknownError,
    UnauthorizedError,
)
from ghcrctl.operations.packages.apply_plan import apply_plan
from ghcrctl.operations.packages.journal import (
    State,
    open_journal,
    read_journal,
)
from ghcrctl.operations.packages.restore import Outcome, restore_run
from tests.builders import random_image
from tests.registry_double.faults import Fault
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    plan_of,
    releases,
)
from tests.unit.operations.packages.losses import restores, run_plan
from tests.unit.operations.packages.test_undo import journal, plan, states, there, whole

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done
    from ghcrctl.operations.packages.restore import Restored
    from tests.packages_double import GitHubDouble

__all__ = ["journal", "plan", "whole"]


# Whole packages


def test_the_journal_of_a_package_has_two_lines_for_each_version(
    at_github: Session, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    told: list[Done] = []
    run_plan(at_github, whole, tmp_path, told.append)
    entries = read_journal(journal)
    half = len(entries) // 2
    assert half == len(whole.steps) + 1
    assert [e.state for e in entries] == [State.BEGUN] * half + [State.DELETED] * half
    for part in (entries[:half], entries[half:]):
        assert [(e.id, e.digest, e.tags) for e in part] == [
            *((s.id, s.digest, s.tags) for s in whole.steps),
            (0, "", ()),
        ]
    assert {e.package for e in entries} == {whole.name}
    [done] = told
    assert (done.step, done.steps, done.freed) == (None, whole.steps, whole.freed)


@pytest.mark.parametrize("refusal", ["blocked", "denied", "failed", "role"])
def test_an_existing_package_leaves_nothing_to_undo(
    at_github: Session,
    github: GitHubDouble,
    tmp_path: Path,
    whole: Plan,
    journal: Path,
    refusal: str,
) -> None:
    if refusal == "blocked":
        github.public.add(NAME)
        github.api.limits.popular.add(whole.steps[0].digest)
    elif refusal == "denied":
        github.api.scopes["ghp_octo"] = ("read:packages",)
    elif refusal == "role":
        github.api.admins[NAME] = {"another"}
    else:
        github.faults.append(Fault("DELETE", status=422))
    report = run_plan(at_github, whole, tmp_path)
    expected = State.DENIED if refusal == "role" else State(refusal)
    assert report.counts == {expected: 6}
    assert (report.error is None) == (refusal == "blocked")
    assert report.ends_run == (refusal == "denied")
    assert set(states(journal).values()) == {expected}
    with pytest.raises(PackageUnknownError, match="records no deletions"):
        restore_run(at_github, journal)
    assert report.freed == 0


def test_a_package_that_another_user_deleted_is_not_restored(
    at_github: Session, github: GitHubDouble, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    github.content.remove_package(NAME)
    assert run_plan(at_github, whole, tmp_path).counts == {State.GONE: 6}
    with pytest.raises(PackageUnknownError, match="records no deletions"):
        restore_run(at_github, journal)
    assert restores(github) == 0


def test_undoing_the_deletion_of_a_package_can_be_repeated(
    at_github: Session, github: GitHubDouble, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    before = there(github)
    run_plan(at_github, whole, tmp_path)
    restore_run(at_github, journal)
    again = restore_run(at_github, journal)
    assert {result.outcome for result in again} == {Outcome.THERE}
    assert restores(github) == 1
    assert there(github) == before


def test_an_undo_that_failed_in_part_is_completed_by_the_next(
    at_github: Session, github: GitHubDouble, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    before, tags = there(github), github.tags(NAME)
    run_plan(at_github, whole, tmp_path)
    github.api.limits.tags_come_back = False
    # The package is restored without its tags, and the registry fails for the first of them.
    github.faults.append(Fault("PUT", "/manifests/", status=500, times=2))
    first = restore_run(at_github, journal)
    assert [r.outcome for r in first].count(Outcome.FAILED) == 1
    assert set(states(journal).values()) == {State.RESTORED, State.DELETED}
    again = restore_run(at_github, journal)
    assert {r.outcome for r in again} == {Outcome.THERE}
    assert (there(github), github.tags(NAME)) == (before, tags)
    assert set(states(journal).values()) == {State.RESTORED}
    assert restores(github) == 1


def test_a_package_whose_name_was_reused_is_not_confused(
    at_github: Session, github: GitHubDouble, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    run_plan(at_github, whole, tmp_path)
    github.push(NAME, "v9", random_image(seed=9))
    restored = restore_run(at_github, journal)
    assert {r.outcome for r in restored} == {Outcome.FAILED}
    assert set(github.tags(NAME)) == {"v9"}


# Orders of apply and restore


def test_a_plan_can_be_applied_and_undone_in_turn(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    before, tags = there(github), github.tags(NAME)
    for turn in range(1, 4):
        told: list[Done] = []
        run_plan(at_github, plan, tmp_path, told.append)
        assert [(d.state, d.was_done) for d in told] == [(State.DELETED, False)] * 3
        assert github.count("DELETE") == 3 * turn
        run_plan(at_github, plan, tmp_path, told.append)
        assert [d.was_done for d in told[3:]] == [True] * 3
        restored = restore_run(at_github, journal)
        assert [r.outcome for r in restored] == [Outcome.RESTORED] * 3
        again = restore_run(at_github, journal)
        assert [r.outcome for r in again] == [Outcome.THERE] * 3
        assert restores(github) == 3 * turn
        assert (there(github), github.tags(NAME)) == (before, tags)


def test_a_package_can_be_deleted_and_undone_in_turn(
    at_github: Session, github: GitHubDouble, tmp_path: Path, whole: Plan, journal: Path
) -> None:
    before = there(github)
    for _ in range(2):
        told: list[Done] = []
        run_plan(at_github, whole, tmp_path, told.append)
        run_plan(at_github, whole, tmp_path, told.append)
        assert [(d.state, d.was_done) for d in told] == [
            (State.DELETED, False),
            (State.DELETED, True),
        ]
        restore_run(at_github, journal)
        assert there(github) == before
    assert (github.count("DELETE"), restores(github)) == (2, 2)


def test_a_version_that_was_restored_by_hand_is_deleted_again(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan
) -> None:
    run_plan(at_github, plan, tmp_path)
    record = next(r for r in github.deleted(NAME) if r.id == plan.steps[0].id)
    github.content.bring_back(NAME, record, tags=True)
    told: list[Done] = []
    run_plan(at_github, plan, tmp_path, told.append)
    assert [d.was_done for d in told] == [False, True, True]
    assert plan.steps[0].digest not in there(github)


def test_a_delayed_list_does_not_hide_a_deletion(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    run_plan(at_github, plan, tmp_path)
    [late] = [r for r in github.deleted(NAME) if r.id == plan.steps[0].id]
    package = github.content.packages[NAME]
    # GitHub's list still has a version that no longer exists.
    package.active.insert(0, late)
    told: list[Done] = []
    report = run_plan(at_github, plan, tmp_path, told.append)
    assert report.counts == {State.DELETED: 3}
    assert all(done.was_done for done in told)
    package.active.remove(late)
    assert states(journal)[late.id] is State.DELETED


def test_versions_deleted_again_after_an_undo_are_named(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    run_plan(at_github, plan, tmp_path)
    restore_run(at_github, journal)
    github.lose(NAME, plan.steps[0].digest)
    count = restores(github)
    told: list[Restored] = []
    restore_run(at_github, journal, tell=told.append)
    [failed] = [r for r in told if r.outcome is Outcome.FAILED]
    assert failed.id == plan.steps[0].id
    assert "then deleted again" in str(failed.error)
    assert f"--id {failed.id}" in str(failed.error and failed.error.hint)
    assert restores(github) == count
    # The plan finds the version missing: another user deleted it.
    report = run_plan(at_github, plan, tmp_path)
    assert report.counts == {State.GONE: 1, State.DELETED: 2}


# Errors that end a run


def test_a_rejected_token_ends_an_undo_and_names_the_rest(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    run_plan(at_github, plan, tmp_path)

    def revoke(method: str, _path: str) -> None:
        if method == "POST":
            github.accounts["octo"] = "ghp_other"

    github.api.before = revoke
    told: list[Restored] = []
    with pytest.raises(UnauthorizedError):
        restore_run(at_github, journal, tell=told.append)
    assert [r.outcome for r in told] == [Outcome.FAILED, Outcome.PLANNED, Outcome.PLANNED]
    assert {r.id for r in told} == {s.id for s in plan.steps}
    assert restores(github) == 1
    assert set(states(journal).values()) == {State.DELETED}


def test_a_missing_scope_ends_an_undo(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    run_plan(at_github, plan, tmp_path)
    github.api.scopes["ghp_octo"] = ("read:packages",)
    with pytest.raises(DeniedError):
        restore_run(at_github, journal)
    assert restores(github) == 1


def test_a_network_that_fails_ends_an_undo_which_can_be_repeated(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    before = there(github)
    run_plan(at_github, plan, tmp_path)
    github.faults.append(Fault("POST", after=1, times=2, hang_up=True))
    told: list[Restored] = []
    with pytest.raises(NetworkError) as caught:
        restore_run(at_github, journal, tell=told.append)
    assert caught.value.hint == f"continue with: ghcrctl packages restore --run {journal}"
    assert [r.outcome for r in told] == [Outcome.RESTORED, Outcome.FAILED, Outcome.PLANNED]
    restored = restore_run(at_github, journal)
    assert [r.outcome for r in restored].count(Outcome.RESTORED) == 2
    assert there(github) == before


def test_a_package_that_cannot_be_restored_does_not_stop_the_others(
    at_github: Session, github: GitHubDouble, journal: Path
) -> None:
    for name in (NAME, "octo/lib"):
        releases(github, 2, name)
    plans = [plan_of(at_github, github, OLD_ONES, name) for name in (NAME, "octo/lib")]
    with open_journal(journal, plans) as notes:
        for plan in plans:
            apply_plan(at_github, plan, notes)
    github.content.remove_package("octo/lib")
    told: list[Restored] = []
    with pytest.raises(PackageUnknownError, match="octo/lib"):
        restore_run(at_github, journal, tell=told.append)
    assert "v0" in github.tags(NAME)
    assert sorted(r.outcome.value for r in told) == ["planned"] * 3 + ["restored"] * 3
