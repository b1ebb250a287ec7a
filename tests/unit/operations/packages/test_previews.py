"""Previews of applying a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.operations.packages.apply_plans import preview_plans
from ghcrctl.operations.packages.journal import (
    State,
)
from tests.builders import random_image
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    plan_of,
    releases,
)
from tests.unit.operations.packages.losses import run_plan
from tests.unit.operations.packages.test_undo import journal, plan, whole

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done
    from tests.packages_double import GitHubDouble

__all__ = ["journal", "plan", "whole"]


def preview(session: Session, plan: Plan, plan_file: Path | None) -> dict[int, State]:
    found: dict[int, State] = {}

    def note(done: Done) -> None:
        found.update((step.id, done.state) for step in done.steps)

    assert preview_plans(session, [plan], plan_file, tell=note) is None
    return found


def test_a_preview_reads_the_journal_of_its_plan(
    at_github: Session, github: GitHubDouble, tmp_path: Path, journal: Path
) -> None:
    releases(github, 3)
    plan = plan_of(at_github, github, OLD_ONES)
    one, other = replace(plan, steps=plan.steps[:3]), replace(plan, steps=plan.steps[3:])
    file = tmp_path / "plan.json"
    assert set(preview(at_github, one, file).values()) == {State.PLANNED}
    run_plan(at_github, one, tmp_path)
    reads, writes = github.count("GET"), github.count("DELETE")
    before = journal.read_bytes()
    assert set(preview(at_github, one, file).values()) == {State.DELETED}
    assert set(preview(at_github, one, None).values()) == {State.GONE}
    assert set(preview(at_github, other, file).values()) == {State.PLANNED}
    # The list is read once for each, and the account once.
    assert github.count("GET") - reads <= 3 * 2
    assert journal.read_bytes() == before
    run_plan(at_github, other, tmp_path)
    assert set(preview(at_github, one, file).values()) == {State.DELETED}, "set aside"
    assert len(list(tmp_path.glob("*.journal"))) == 2
    assert github.count("DELETE") == writes + 3


def test_a_preview_predicts_retained_versions(at_github: Session, github: GitHubDouble) -> None:
    releases(github, 3)
    plan = plan_of(at_github, github, OLD_ONES)
    github.lose(NAME, github.tags(NAME)["v2"])
    found = preview(at_github, plan, None)
    last = [step.id for step in plan.steps if step.tags][-1]
    assert found[last] is State.RETAINED
    index = next(step.digest for step in plan.steps if step.id == last)
    kept = [step.id for step in plan.steps if index in step.follows]
    assert {found[number] for number in kept} == {State.CHANGED}
    assert list(found.values()).count(State.PLANNED) == 3


def test_a_preview_predicts_that_one_version_is_kept(
    at_github: Session, github: GitHubDouble
) -> None:
    releases(github, 2)
    plan = plan_of(at_github, github, OLD_ONES)
    for record in github.versions(NAME):
        if record.id not in {step.id for step in plan.steps[-2:]}:
            github.lose(NAME, record.digest)
    found = preview(at_github, replace(plan, steps=plan.steps[-2:]), None)
    assert list(found.values()) == [State.PLANNED, State.RETAINED]


def test_a_preview_of_a_whole_package(
    at_github: Session, github: GitHubDouble, whole: Plan
) -> None:
    assert set(preview(at_github, whole, None).values()) == {State.PLANNED}
    assert github.count("DELETE") == 0
    github.push(NAME, "new", random_image(seed=70))
    assert set(preview(at_github, whole, None).values()) == {State.CHANGED}
    github.content.remove_package(NAME)
    assert set(preview(at_github, whole, None).values()) == {State.GONE}
