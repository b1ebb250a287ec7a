"""Plans carried out: kept in a file, and done with a journal beside them.

What belongs here: where plans and journals are, and several plans in one run. What does not: one
plan (`apply`), showing and asking (``cli``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import make_directories
from ghcrctl.errors import GhcrctlError
from ghcrctl.github.plan import plans_to_json
from ghcrctl.operations.packages.apply import apply_plan
from ghcrctl.operations.packages.journal import State, journal_beside, opened
from ghcrctl.operations.packages.loading import silent
from ghcrctl.store.files import disk_errors
from ghcrctl.store.output_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.packages.apply import Done
    from ghcrctl.operations.packages.loading import Progress
    from ghcrctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of plans.

    Args:
        plans: one a package.
        done: what became of each step; empty where nothing was to be done, or only looked at.
        plan_file: where the plans are, so that they can be gone on with.
        journal: where it stands what was done; `restore` undoes it.
        error: the first failure that is to be told by a status.
    """

    plans: tuple[Plan, ...]
    done: tuple[Done, ...] = ()
    plan_file: Path | None = None
    journal: Path | None = None
    error: GhcrctlError | None = None

    @property
    def deleted(self) -> tuple[str, ...]:
        """The digests of what was deleted."""
        return tuple(d.step.digest for d in self.done if d.step and d.state is State.DELETED)

    @property
    def freed(self) -> int:
        """Bytes that nothing in the package needs any more."""
        gone = (d for d in self.done if d.state is State.DELETED)
        return sum(d.step.freed if d.step else d.plan.freed for d in gone)


def carry_out(
    session: Session,
    plans: Sequence[Plan],
    *,
    plan_file: Path | None = None,
    dry_run: bool = False,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> Carried:
    """Carry plans out, with a journal; asking whether they may be is the caller's affair.

    Args:
        session: the run.
        plans: one a package.
        plan_file: where they are; without it they are kept where journals are.
        dry_run: do nothing.
        tell: is told what became of each step.
        progress: is told how far it has come.

    Raises:
        NetworkError: GitHub cannot be talked to, or refuses for too long; `plan_file`, which the
            hint names, goes on later.
    """
    if dry_run or not any(plan.does_something for plan in plans):
        return Carried(tuple(plans))
    path = plan_file or keep_plans(session, plans)
    journal = journal_beside(path)
    done: list[Done] = []

    def note(one: Done) -> None:
        done.append(one)
        tell(one)

    error = apply_plans(session, plans, path, tell=note, progress=progress)
    return Carried(tuple(plans), tuple(done), path, journal, error)


def write_plans(path: Path, plans: Sequence[Plan]) -> None:
    """Write plans to a file, whole or not at all."""
    with whole_file(path) as write:
        write(plans_to_json(plans).encode())


def keep_plans(session: Session, plans: Sequence[Plan]) -> Path:
    """Write plans where they can be gone on with, and undone.

    Args:
        session: the run.
        plans: at least one.

    Returns:
        The file.
    """
    first = plans[0]
    now = datetime.now(timezone.utc)
    name = f"{now:%Y%m%dT%H%M%S%f}-{first.owner}-{first.package.replace('/', '-')}.json"
    path = session.settings.journal_dir / name
    with disk_errors(f"write {path}"):
        make_directories(path.parent, mode=0o700)
    write_plans(path, plans)
    return path


def apply_plans(
    session: Session,
    plans: Sequence[Plan],
    plan_file: Path,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> GhcrctlError | None:
    """Carry plans out, one after the other.

    Args:
        session: the run.
        plans: one a package.
        plan_file: where they are; the journal beside it is told of each deletion, and what it says
            was done is not done again.
        tell: is told what became of each step.
        progress: is told how far it has come.

    Returns:
        The first failure that is to be told by a status.

    Raises:
        NetworkError: GitHub cannot be talked to, or refuses for too long; go on later.
    """
    error: GhcrctlError | None = None
    try:
        with opened(journal_beside(plan_file)) as notes:
            for plan in plans:
                report = apply_plan(session, plan, notes, tell=tell, progress=progress)
                error = error or report.error
    except GhcrctlError as reason:
        reason.hint = go_on(plan_file)
        raise
    return error


def go_on(plan_file: Path) -> str:
    """Word how plans are gone on with that were not carried out to the end."""
    return f"go on with: ghcrctl packages apply {plan_file}"
