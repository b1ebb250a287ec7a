"""Lost responses and crashes at chosen requests, for tests of interrupted runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.operations.packages.apply_plan import apply_plan
from ghcrctl.operations.packages.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done, Report
    from tests.packages_double import GitHubDouble
    from tests.registry_double.wsgi import Answer, Environ


@dataclass
class Loss:
    """Loses responses to some requests after they took effect.

    Args:
        method: the method of the requests.
        status: the status to send in place of the true response; 0 breaks the connection.
        numbers: which of these requests, counted from 1; empty for all.
    """

    method: str = "DELETE"
    status: int = 502
    numbers: tuple[int, ...] = ()
    seen: list[str] = field(default_factory=list)

    def __call__(self, environ: Environ, answer: Answer) -> None:
        if environ["REQUEST_METHOD"] != self.method:
            return
        self.seen.append(environ["PATH_INFO"])
        if self.numbers and len(self.seen) not in self.numbers:
            return
        if answer.status >= 400:
            return
        if not self.status:
            raise ConnectionResetError
        answer.status = self.status


def run_plan(
    session: Session,
    plan: Plan,
    folder: Path,
    tell: Callable[[Done], None] = lambda _: None,
) -> Report:
    """Carry out a plan with the journal of its file."""
    with open_journal(folder / "plan.json.journal", [plan]) as journal:
        return apply_plan(session, plan, journal, tell=tell)


def restores(github: GitHubDouble) -> int:
    """Count the restore requests."""
    return github.count("POST", "/restore")
