"""Plans carried out: kept in a file, and done with a journal beside them.

What belongs here: where plans and journals are, and several plans in one run. What does not: one
plan (`apply`), showing and asking (``cli``).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.github.plan import plans_to_json
from ghcrctl.operations.packages.apply import apply_plan
from ghcrctl.operations.packages.journal import opened
from ghcrctl.operations.packages.loading import silent
from ghcrctl.store.files import disk_errors, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.packages.apply import Done
    from ghcrctl.operations.packages.loading import Progress
    from ghcrctl.operations.session import Session


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
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_plans(path, plans)
    return path


def apply_plans(
    session: Session,
    plans: Sequence[Plan],
    journal: Path,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> GhcrctlError | None:
    """Carry plans out, one after the other.

    Args:
        session: the run.
        plans: one a package.
        journal: the file that is told of each deletion; what it says was done is not done again.
        tell: is told what became of each step.
        progress: is told how far it has come.

    Returns:
        The first failure that is to be told by a status.

    Raises:
        NetworkError: GitHub cannot be talked to, or refuses for too long; go on later.
    """
    error: GhcrctlError | None = None
    with opened(journal) as notes:
        for plan in plans:
            report = apply_plan(session, plan, notes, tell=tell, progress=progress)
            error = error or report.error
    return error
