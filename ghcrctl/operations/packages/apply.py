"""Carrying a plan out: step by step, each looked at again just before it is done.

What belongs here: what may have changed since the plan was made, and what became of each step. What
does not: what a plan holds (``github.plan``), what the journal is (`journal`).

A step is done only if its version still has just the digest and the tags that the plan names, if no
version that the plan does not name needs it by now, and if nothing that needs it stayed after all.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.errors import (
    AuthError,
    BlockedError,
    DeniedError,
    GhcrctlError,
    NetworkError,
    PackageUnknownError,
    RegistryUnavailableError,
    RetainedError,
)
from ghcrctl.operations.packages.journal import DONE, Entry, State
from ghcrctl.operations.packages.loading import graph_of, silent
from ghcrctl.operations.packages.naming import Named, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.github.records import Version
    from ghcrctl.operations.packages.journal import Journal
    from ghcrctl.operations.packages.loading import Progress
    from ghcrctl.operations.session import Session

# Seconds after which is asked anew whether somebody pushed.
_STALE = 5.0


@dataclass(slots=True)
class Report:
    """How a plan went. ``freed``: bytes; ``error``: the first that is to be told by a status."""

    counts: Counter[State] = field(default_factory=Counter)
    freed: int = 0
    error: GhcrctlError | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one step. ``was_done``: whether an earlier run did it."""

    plan: Plan
    step: Step | None
    state: State
    why: str = ""
    error: GhcrctlError | None = None
    was_done: bool = False


def apply_plan(
    session: Session,
    plan: Plan,
    journal: Journal,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> Report:
    """Do what a plan says, as far as it still may be done.

    Args:
        session: the run.
        plan: of one package.
        journal: is told before and after each deletion; what it says was done is not done again.
        tell: is told what became of each step.
        progress: is told how far it has come.

    Raises:
        RateLimitedError: GitHub refuses for longer than it is worth waiting; go on later.
        NetworkError: GitHub cannot be talked to; go on later.
    """
    run = _Run(session, plan, journal, tell)
    if plan.deletes_package:
        run.delete_package()
        return run.report
    for number, step in enumerate(plan.steps, 1):
        run.do(step)
        progress("versions", number, len(plan.steps))
        if isinstance(run.report.error, AuthError):
            # A token that may not delete one version may delete none.
            break
    return run.report


class _Run:
    """One plan being carried out."""

    def __init__(
        self, session: Session, plan: Plan, journal: Journal, tell: Callable[[Done], None]
    ) -> None:
        self.report = Report()
        self._session = session
        self._plan = plan
        self._journal = journal
        self._tell = tell
        self._named = Named(plan.registry, plan.owner, plan.package)
        self._packages, self._owner = owner_of(session, self._named)
        self._stayed: set[str] = set()
        self._needed: set[str] = set()
        self._seen: dict[int, Version] = {}
        self._looked: float | None = None

    def do(self, step: Step) -> None:
        """Do one step, or say why not."""
        noted = self._journal.state(self._plan.name, step.id)
        if noted is not None and noted in DONE:
            self._told(step, noted, was_done=True)
            return
        self._look()
        why = self._why_not(step)
        if why:
            self._told(step, State.CHANGED, why)
            return
        try:
            found = self._packages.version(self._owner, self._plan.package, step.id)
        except PackageUnknownError:
            # Begun and never ended: this was us, before a crash.
            self._told(step, State.DELETED if noted is State.BEGUN else State.GONE)
            return
        why = _changed(step, found)
        if why:
            self._told(step, State.CHANGED, why)
            return
        self._note(step, State.BEGUN)
        self._delete(step)

    def _delete(self, step: Step) -> None:
        try:
            self._packages.delete_version(self._owner, self._plan.package, step.id)
        except PackageUnknownError as error:
            self._told(step, *self._unknown(step, error))
        except RetainedError as error:
            self._told(step, State.RETAINED, error.message)
        except BlockedError as error:
            self._told(step, State.BLOCKED, error.message)
        except AuthError as error:
            self._told(step, State.DENIED, error.message, error)
        except GhcrctlError as error:
            if isinstance(error, NetworkError) and not isinstance(error, RegistryUnavailableError):
                raise
            self._told(step, State.FAILED, error.message, error)
        else:
            self._told(step, State.DELETED)

    def _unknown(
        self, step: Step, error: PackageUnknownError
    ) -> tuple[State, str, GhcrctlError | None]:
        """Tell what GitHub's 404 means: gone meanwhile, or not allowed."""
        try:
            self._packages.version(self._owner, self._plan.package, step.id)
        except PackageUnknownError:
            return State.GONE, "", None
        denied = DeniedError(
            f"cannot delete version {step.id} of {self._plan.name}: the token may see it, and not "
            "delete it",
            hint=error.hint,
        )
        return State.DENIED, denied.message, denied

    def delete_package(self) -> None:
        """Delete the package as a whole, if it has just the versions that the plan names."""
        noted = self._journal.state(self._plan.name, 0)
        if noted in DONE:
            return
        try:
            now = self._packages.versions(self._owner, self._plan.package)
        except PackageUnknownError:
            # Begun and never ended: this was us, before a crash.
            self._told(None, State.DELETED if noted is State.BEGUN else State.GONE)
            return
        planned = {step.id: step for step in self._plan.steps}
        new = [v for v in now if v.id not in planned or _changed(planned[v.id], v)]
        if new:
            self._told(None, State.CHANGED, f"version {new[0].id} is new or has other tags")
            return
        for step in self._plan.steps:
            self._note(step, State.BEGUN)
        self._note(None, State.BEGUN)
        try:
            self._packages.delete(self._owner, self._plan.package)
        except BlockedError as error:
            self._told(None, State.BLOCKED, error.message)
        except AuthError as error:
            self._told(None, State.DENIED, error.message, error)
        else:
            self._told(None, State.DELETED)
            self.report.freed = self._plan.freed

    # What may have changed

    def _look(self) -> None:
        """Find out from time to time what others pushed, and what that needs."""
        now = time.monotonic()
        if self._looked is not None and now - self._looked < _STALE:
            return
        is_first, self._looked = self._looked is None, now
        if not is_first:
            newest = self._packages.newest(self._owner, self._plan.package)
            if all(self._seen.get(version.id) == version for version in newest):
                return
        versions = self._packages.versions(self._owner, self._plan.package)
        self._seen = {version.id: version for version in versions}
        self._needed = self._needed_by(graph_of(self._session, self._named, versions), versions)

    def _needed_by(self, graph: Graph, versions: Sequence[Version]) -> set[str]:
        """Return what is needed, or may be, by anything that the plan does not delete."""
        planned = {step.id: step for step in self._plan.steps}
        asked = {step.digest for step in self._plan.steps if step.is_asked}
        staying = {v.digest for v in versions if v.id not in planned or _changed(planned[v.id], v)}
        # The registry may have manifests for which no version is listed, or not yet.
        staying |= (graph.facts.keys() | graph.unreadable.keys()) - graph.versions.keys()
        needed = graph.closure(staying, without=asked)
        # An index that lists a version named by the user did not exist when the plan was made.
        needed |= {d for d in asked if staying.intersection(graph.parents.get(d, ()))}
        if staying & graph.unreadable.keys():
            needed |= {step.digest for step in self._plan.steps} - asked
        return needed

    def _why_not(self, step: Step) -> str:
        seen = self._seen.get(step.id)
        if seen and (why := _changed(step, seen)):
            return why
        if step.digest in self._needed:
            return "something needs it by now, or might"
        stayed = [digest for digest in step.follows if digest in self._stayed]
        return f"{stayed[0]} needs it, and stayed" if stayed else ""

    # What became of it

    def _told(
        self,
        step: Step | None,
        state: State,
        why: str = "",
        error: GhcrctlError | None = None,
        *,
        was_done: bool = False,
    ) -> None:
        self.report.counts[state] += 1
        self.report.error = self.report.error or error
        if not was_done:
            self._note(step, state, why)
        if step and state is State.DELETED:
            self.report.freed += step.freed
        elif step and state not in DONE:
            self._stayed.add(step.digest)
        self._tell(Done(self._plan, step, state, why, error, was_done))

    def _note(self, step: Step | None, state: State, why: str = "") -> None:
        number, digest, tags = (step.id, step.digest, step.tags) if step else (0, "", ())
        self._journal.note(Entry(self._plan.name, number, digest, tags, state, why))


def _changed(step: Step, found: Version) -> str:
    """Tell how a version differs from what the plan says of it; empty where it does not."""
    if found.digest != step.digest:
        return f"version {step.id} has another digest"
    new = sorted(set(found.tags) - set(step.tags))
    if new:
        return f"it is tagged `{new[0]}` by now"
    lost = sorted(set(step.tags) - set(found.tags))
    return f"it is tagged `{lost[0]}` no more" if lost else ""
