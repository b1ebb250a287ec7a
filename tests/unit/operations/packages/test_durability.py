"""Plans and journals are on disk before the registry is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.operations.packages.apply_plans import store_plans
from ghcrctl.operations.packages.journal import Entry, State, journal_beside, open_journal
from tests.disk_record import DiskRecord
from tests.unit.operations.packages.content import OLD_ONES, plan_of, releases

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

pytestmark = pytest.mark.needs("directory sync")

DIGEST = f"sha256:{'ab' * 32}"
ONE = Entry("ghcr.io/octo/app", 1, DIGEST, ("v1", "latest"), State.BEGUN)
TWO = Entry("ghcr.io/octo/app", 2, DIGEST, (), State.DELETED)


def test_each_entry_of_a_journal_is_durable_before_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    with DiskRecord(tmp_path).watching() as watched:
        for entries in ((ONE, TWO), (TWO,)):
            with open_journal(path) as journal:
                watched.check("when it is open")
                for entry in entries:
                    journal.note(entry)
                    watched.check("after an entry")


def test_plans_and_journals_that_change_places_are_durable(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github, 2)
    plans = [plan_of(at_github, github, OLD_ONES)]
    other = [replace(plan, steps=plan.steps[1:]) for plan in plans]
    kept = at_github.settings.journal_dir
    while not kept.exists():
        kept = kept.parent
    with DiskRecord(kept).watching():
        store_plans(at_github, plans)
    path = journal_beside(tmp_path / "plan.json")
    with open_journal(path, plans) as journal:
        journal.note(ONE)
    with DiskRecord(tmp_path).watching() as watched:
        for each in (other, plans):
            with open_journal(path, each) as journal:
                assert journal.set_aside
                watched.check("when it is open")
                journal.note(TWO)
