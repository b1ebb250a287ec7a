"""Apply plans, which are stored in a file with a journal next to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import make_directories
from ghcrctl.errors import (
    AuthError,
    GhcrctlError,
    NetworkError,
    RefusedError,
    RegistryUnavailableError,
    UsageError,
)
from ghcrctl.github.plan import plans_to_json
from ghcrctl.operations.packages.apply_plan import Report, apply_plan, preview_plan
from ghcrctl.operations.packages.journal import (
    State,
    journal_beside,
    open_journal,
    read_continued_journal,
)
from ghcrctl.operations.packages.package_batch import ends_run, name_error
from ghcrctl.operations.packages.package_graph import no_progress
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done
    from ghcrctl.operations.packages.journal import Journal
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress


@dataclass(frozen=True, slots=True)
class Carried:
    """The result of applying plans.

    Args:
        plans: one plan per package.
        done: the result of each step; empty if there was nothing to do, or in a dry run.
        plan_file: the file with the plans, to continue with.
        journal: the file with the results; `restore` undoes it.
        error: the first failure that the exit status reports.
        preview: with ``dry_run``, the expected result of each step.
        set_aside: the new path of another plan's journal that had the same name.
    """

    plans: tuple[Plan, ...]
    done: tuple[Done, ...] = ()
    plan_file: Path | None = None
    journal: Path | None = None
    error: GhcrctlError | None = None
    preview: tuple[Done, ...] = ()
    set_aside: Path | None = None

    @property
    def deleted(self) -> tuple[str, ...]:
        """The digests of deleted versions."""
        gone = (d for d in self.done if d.state is State.DELETED)
        return tuple(step.digest for one in gone for step in one.steps)

    @property
    def freed(self) -> int:
        """Freed space (bytes)."""
        return sum(d.freed for d in self.done)

    @property
    def remaining(self) -> tuple[Step, ...]:
        """The steps that were not attempted because the run ended early."""
        return (
            tuple(step for _, step in remaining_steps(self.plans, self.done)) if self.done else ()
        )


def execute_plans(
    session: Session,
    plans: Sequence[Plan],
    *,
    plan_file: Path | None = None,
    dry_run: bool = False,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Carried:
    """Apply plans with a journal; the caller is responsible for confirmation.

    Args:
        session: the run.
        plans: one plan per package.
        plan_file: the file with the plans; without it, they are written to the journal directory.
        dry_run: only return what would be done.
        tell: called with the result, or the expected result, of each step.
        progress: called with the number of steps done.

    Raises:
        NetworkError: GitHub cannot be reached, or its rate limit lasts too long; continue later
            with the file in the hint.
    """
    unreadable = unreadable_in(plans)
    if not any(plan.does_something for plan in plans):
        return Carried(tuple(plans), error=unreadable)
    done: list[Done] = []

    def note(one: Done) -> None:
        done.append(one)
        tell(one)

    if dry_run:
        error = preview_plans(session, plans, plan_file, tell=note, progress=progress)
        return Carried(tuple(plans), error=unreadable or error, preview=tuple(done))
    path = plan_file or store_plans(session, plans)
    aside: list[Path] = []
    error = apply_plans(session, plans, path, tell=note, progress=progress, moved=aside.append)
    moved = aside[0] if aside else None
    journal = journal_beside(path)
    error = unreadable or error
    return Carried(tuple(plans), tuple(done), path, journal, error, set_aside=moved)


def unreadable_in(plans: Sequence[Plan]) -> GhcrctlError | None:
    """Return the first error of packages with manifests that cannot be read."""
    return next((error for plan in plans if (error := plan.unreadable_error)), None)


def remaining_steps(plans: Sequence[Plan], done: Sequence[Done]) -> list[tuple[Plan, Step]]:
    """Return the steps of plans that were not attempted."""
    known = {(one.plan.name, step.id) for one in done for step in one.steps}
    return [(p, step) for p in plans for step in p.steps if (p.name, step.id) not in known]


def write_plans(path: Path, plans: Sequence[Plan]) -> None:
    """Write plans to a file, which appears completely or not at all."""
    with whole_file(path) as write:
        write(plans_to_json(plans).encode())


def store_plans(session: Session, plans: Sequence[Plan]) -> Path:
    """Write plans to the journal directory, where they can be continued and undone.

    Args:
        session: the run.
        plans: the plans; at least one.

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


def apply_plans(  # noqa: PLR0913 all but these by keyword
    session: Session,
    plans: Sequence[Plan],
    plan_file: Path,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = no_progress,
    moved: Callable[[Path], object] = lambda _: None,
    failed: Failed = lambda _name, _error: None,
) -> GhcrctlError | None:
    """Apply plans in order.

    Args:
        session: the run.
        plans: one plan per package.
        plan_file: the file with the plans. The journal next to it receives an entry for each
            deletion; versions that it records as deleted are not deleted again.
        tell: called with the result of each step.
        progress: called with the number of steps done.
        moved: called with the new path of a journal that belongs to another plan.
        failed: called with the name and error of each package that fails, if there are several.

    Returns:
        The first failure that the exit status reports.

    Raises:
        NetworkError: GitHub cannot be reached, or its rate limit lasts too long; continue later.
        AuthError: GitHub rejects the token.
    """
    try:
        with open_journal(journal_beside(plan_file), plans) as journal:
            if journal.set_aside:
                moved(journal.set_aside)
            return _run_each(
                plans,
                lambda plan: apply_plan(session, plan, journal, tell=tell, progress=progress),
                failed,
            )
    except GhcrctlError as reason:
        if not isinstance(reason, (AuthError, RefusedError, UsageError)):
            reason.hint = continue_hint(plan_file)
        raise


def preview_plans(
    session: Session,
    plans: Sequence[Plan],
    plan_file: Path | None,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = no_progress,
    failed: Failed = lambda _name, _error: None,
) -> GhcrctlError | None:
    """Return what `apply_plans` would do now, without changing or writing anything.

    Args:
        session: the run.
        plans: one plan per package.
        plan_file: the file with the plans; the journal next to it has the results so far.
        tell: called with the expected result of each step.
        progress: called with the number of steps checked.
        failed: called with the name and error of each package that fails, if there are several.

    Returns:
        The first failure that the exit status reports.
    """
    journal: Journal = read_continued_journal(
        journal_beside(plan_file) if plan_file else None, plans
    )
    return _run_each(
        plans,
        lambda plan: preview_plan(session, plan, journal, tell=tell, progress=progress),
        failed,
    )


def _run_each(
    plans: Sequence[Plan], act: Callable[[Plan], Report], failed: Failed
) -> GhcrctlError | None:
    """Call a function for each plan; return the first failure.

    A package that is missing or unreadable does not stop the others.
    """
    error: GhcrctlError | None = None
    for plan in plans:
        try:
            report = act(plan)
        except GhcrctlError as reason:
            if ends_run(reason) or _can_continue_later(reason):
                raise
            name_error(reason, plan.name)
            if len(plans) > 1:
                failed(plan.name, reason)
            report = Report(error=reason)
        error = error or report.error
        if report.ends_run:
            break
    return error


def _can_continue_later(error: GhcrctlError) -> bool:
    """Return whether the plans should be continued later."""
    return isinstance(error, NetworkError) and not isinstance(error, RegistryUnavailableError)


def continue_hint(plan_file: Path) -> str:
    """Return the hint for plans that were not applied completely."""
    return f"continue with: ghcrctl packages apply {plan_file}"
