"""Matching journals to plans, and journals of older versions."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import (
    NotFoundError,
    RefusedError,
    UsageError,
)
from ghcrctl.operations.packages.apply_plan import apply_plan
from ghcrctl.operations.packages.apply_plans import write_plans
from ghcrctl.operations.packages.journal import (
    State,
    journal_beside,
    open_journal,
)
from ghcrctl.operations.packages.restore import Outcome, restore_run
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    plan_of,
    releases,
)
from tests.unit.operations.packages.losses import run_plan
from tests.unit.operations.packages.test_undo import journal, plan, states, there, whole

if TYPE_CHECKING:
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

__all__ = ["journal", "plan", "whole"]


def test_a_journal_of_another_plan_is_kept_and_can_be_undone(
    at_github: Session, github: GitHubDouble, tmp_path: Path, journal: Path
) -> None:
    releases(github, 3)
    before = there(github)
    first = plan_of(at_github, github, OLD_ONES)
    one = replace(first, steps=first.steps[:3])
    other = replace(first, steps=first.steps[3:])
    run_plan(at_github, one, tmp_path)
    with open_journal(journal, [other]) as notes:
        aside = notes.set_aside
        assert apply_plan(at_github, other, notes).counts == {State.DELETED: 3}
    assert aside is not None
    assert aside.name.startswith("plan.json.2")
    assert aside.suffix == ".journal"
    assert set(states(aside)) == {s.id for s in one.steps}
    assert set(states(journal)) == {s.id for s in other.steps}
    # The plan finds its journal, even after it was renamed.
    for each in (one, other):
        write_plans(tmp_path / "plan.json", [each])
        restored = restore_run(at_github, tmp_path / "plan.json")
        assert {r.id for r in restored} == {s.id for s in each.steps}
    assert there(github) == before
    # For the first plan, its journal is used again, and the other one is set aside.
    with open_journal(journal, [one]) as notes:
        assert notes.set_aside is not None
        assert {e.state for e in notes.last} == {State.RESTORED}
        assert {e.id for e in notes.last} == {s.id for s in one.steps}
    assert not aside.exists()


def test_a_journal_without_entries_is_replaced(journal: Path, plan: Plan, whole: Plan) -> None:
    for _ in range(2):
        with open_journal(journal, [plan]):
            pass
        assert journal.read_text().count('"schema"') == 1
    with open_journal(journal, [whole]) as notes:
        assert notes.set_aside is None
    assert len(list(journal.parent.glob("*.journal"))) == 1


@pytest.mark.parametrize(
    ("run", "is_used"),
    [
        ("20261128T020000Z-3f9a1c", True),
        ("a" * 40, True),
        ("a" * 41, False),
        ("../../escape", False),
        ("tür", False),
        ("", False),
    ],
)
def test_only_a_valid_run_name_becomes_part_of_a_file_name(
    journal: Path, plan: Plan, whole: Plan, run: str, is_used: bool
) -> None:
    old_journal(journal, plan, State.DELETED)
    first, *lines = journal.read_text().splitlines()
    head = {**json.loads(first), "run": run, "plan": "another"}
    journal.write_text("\n".join([json.dumps(head), *lines]) + "\n")
    os.utime(journal, (1_700_000_000, 1_700_000_000))
    with open_journal(journal, [whole]) as notes:
        aside = notes.set_aside
    name = run if is_used else "20231114T221320Z"
    assert aside == journal.with_name(f"plan.json.{name}.journal")


def old_journal(path: Path, plan: Plan, state: State) -> None:
    """Write a journal as earlier versions did: without the digest of its plan."""
    lines = [json.dumps({"schema": "ghcrctl/journal/1"})]
    lines += [
        json.dumps(
            {
                "at": "2026-11-01T00:00:00+00:00",
                "package": plan.name,
                "id": step.id,
                "digest": step.digest,
                "tags": list(step.tags),
                "state": state.value,
            }
        )
        for step in plan.steps
    ]
    path.write_text("\n".join(lines) + "\n")


def test_a_journal_of_an_older_version_is_continued_and_undone(
    at_github: Session, github: GitHubDouble, tmp_path: Path, plan: Plan, journal: Path
) -> None:
    before = there(github)
    old_journal(journal, plan, State.BEGUN)
    github.lose(NAME, plan.steps[0].digest)
    assert run_plan(at_github, plan, tmp_path).counts == {State.DELETED: 3}
    restore_run(at_github, journal)
    assert there(github) == before


def test_a_journal_of_an_older_version_with_other_versions_is_set_aside(
    at_github: Session, github: GitHubDouble, plan: Plan, journal: Path
) -> None:
    other = replace(plan, steps=plan.steps[:1])
    old_journal(journal, plan, State.DELETED)
    for step in plan.steps:
        github.lose(NAME, step.digest)
    for _ in range(2):
        with open_journal(journal, [other]) as notes:
            pass
        journal.write_text(notes.set_aside.read_text() if notes.set_aside else "")
    aside = sorted(p for p in journal.parent.glob("*.journal") if p != journal)
    assert len(aside) == 2, "a name is not used twice"
    assert any(path.name.endswith("-2.journal") for path in aside)
    restore_run(at_github, aside[0])
    assert {s.digest for s in plan.steps} <= there(github)


def test_a_plan_that_was_not_carried_out_has_nothing_to_undo(
    at_github: Session, tmp_path: Path, plan: Plan, whole: Plan
) -> None:
    path = tmp_path / "plan.json"
    write_plans(path, [whole])
    with pytest.raises(NotFoundError, match="has no journal"):
        restore_run(at_github, path)
    run_plan(at_github, plan, tmp_path)
    with pytest.raises(UsageError, match="belongs to another plan") as caught:
        restore_run(at_github, path)
    assert str(journal_beside(path)) in (caught.value.hint or "")
    path.unlink()
    assert len(restore_run(at_github, path)) == 3
    with pytest.raises(NotFoundError, match="no such file"):
        restore_run(at_github, tmp_path / "none.json")


def test_a_journal_in_use_is_not_undone(at_github: Session, plan: Plan, journal: Path) -> None:
    with open_journal(journal, [plan]), pytest.raises(RefusedError, match="another process"):
        restore_run(at_github, journal)


def test_a_journal_that_cannot_be_written_is_undone_with_a_warning(
    at_github: Session,
    tmp_path: Path,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_plan(at_github, plan, tmp_path)
    opening = Path.open

    def refuse(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if path.suffix == ".journal" and mode not in {"r", "rb"}:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opening(path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)
    warned: list[str] = []
    at_github.warn = warned.append
    journal = tmp_path / "plan.json.journal"
    before = journal.read_bytes()
    restored = restore_run(at_github, journal)
    assert [r.outcome for r in restored] == [Outcome.RESTORED] * 3
    assert journal.read_bytes() == before
    assert len(warned) == 1
    assert warned[0].endswith("Permission denied; restored versions are not recorded there")
