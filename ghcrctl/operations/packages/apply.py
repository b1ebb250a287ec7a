"""Carrying out a plan: step by step, each version checked again just before it is deleted.

What belongs here: the order of checks and deletions, and what is written to the journal. What does
not: what a plan holds (``github.plan``), what changed since it was made (`present_state`), what the
response to a deletion means (`deletion_outcome`).

A step is done only if its version still has just the digest and the tags that the plan names, if no
version outside of the plan needs it now, and if nothing that needs it was kept after all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.errors import NetworkError, PackageUnknownError
from ghcrctl.github.plan import unreadable_error
from ghcrctl.operations.packages.deletion_outcome import Outcome, delete
from ghcrctl.operations.packages.journal import DONE, Entry, State
from ghcrctl.operations.packages.package_graph import silent
from ghcrctl.operations.packages.package_names import Named, owner_of
from ghcrctl.operations.packages.present_state import PresentState, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.journal import Journal
    from ghcrctl.operations.packages.package_graph import Progress

# Seconds after which the list of versions is read again in any case.
_STALE = 5.0
# The journal's number for the package as a whole.
_WHOLE = 0
# States after which a version that is missing was deleted by this plan.
_SENT = frozenset({State.BEGUN, State.DELETED})


@dataclass(slots=True)
class Report:
    """The result of a plan.

    Attributes:
        counts: versions by what became of them.
        freed: bytes.
        error: the first failure that the exit status reports.
        ends_run: whether no other deletion can succeed either, of any package.
    """

    counts: Counter[State] = field(default_factory=Counter)
    freed: int = 0
    error: GhcrctlError | None = None
    ends_run: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one step.

    Args:
        plan: of the package.
        step: the version; ``None`` for the package as a whole.
        state: what became of it, or in a preview would become.
        why: the reason.
        error: a failure that the exit status reports.
        was_done: whether an earlier run did it.
    """

    plan: Plan
    step: Step | None
    state: State
    why: str = ""
    error: GhcrctlError | None = None
    was_done: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """The versions that this is about."""
        return (self.step,) if self.step else self.plan.steps

    @property
    def freed(self) -> int:
        """Bytes that were freed, or in a preview would be."""
        if self.state not in {State.DELETED, State.PLANNED}:
            return 0
        return sum(step.freed for step in self.steps)


def apply_plan(
    session: Session,
    plan: Plan,
    journal: Journal,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> Report:
    """Carry out a plan, as far as that is still safe.

    Args:
        session: the run.
        plan: of one package.
        journal: gets an entry before and after each deletion; what it says was deleted is not
            deleted again, unless it was restored.
        tell: is called with what became of each step.
        progress: is called with the number of steps done.

    Raises:
        RateLimitedError: GitHub refuses for longer than is worth waiting; continue later.
        NetworkError: GitHub cannot be reached; continue later.
        AuthError: GitHub rejects the token.
        PackageUnknownError: there is no such package, or the token may not see it.
    """
    return _Run(session, plan, journal, tell).run(progress)


def preview_plan(
    session: Session,
    plan: Plan,
    journal: Journal,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = silent,
) -> Report:
    """Find out what `apply_plan` would do now, from one reading of the list of versions.

    Args:
        session: the run.
        plan: of one package.
        journal: as `apply_plan` would get it; it must not have a file.
        tell: is called with what would become of each step.
        progress: is called with the number of steps checked.

    Raises:
        PackageUnknownError: there is no such package, or the token may not see it.
    """
    return _Preview(session, plan, journal, tell).run(progress)


class _Run:
    """A plan that is being carried out."""

    def __init__(
        self, session: Session, plan: Plan, journal: Journal, tell: Callable[[Done], None]
    ) -> None:
        self.report = Report()
        self._plan = plan
        self._journal = journal
        self._tell = tell
        self._packages, self._owner = owner_of(
            session, Named(plan.registry, plan.owner, plan.package)
        )
        self._present = PresentState(session, plan)
        self._stayed: set[str] = set()

    def run(self, progress: Progress) -> Report:
        """Run the steps in order, until one shows that the others cannot succeed either."""
        if self._plan.deletes_package:
            self._do_package()
            return self.report
        for number, step in enumerate(self._plan.steps, 1):
            self._do(step)
            progress("versions", number, len(self._plan.steps))
            # A token that may not delete one version of a package may delete none.
            if self.report.counts[State.DENIED]:
                break
        unread = unreadable_error(self._plan.name, self._present.unreadable)
        self.report.error = self.report.error or unread
        return self.report

    def _do(self, step: Step) -> None:
        """Do one step, or say why not."""
        noted = self._journal.state(self._plan.name, step.id)
        self._refresh()
        # A deleted version that exists again was restored, so the step must be repeated.
        if noted in DONE and step.id not in self._present.versions:
            self._told(step, Outcome(noted), was_done=True)
            return
        if self._present.is_missing and noted not in _SENT:
            # Raises, with what GitHub says about the package.
            self._packages.get(self._owner, self._plan.package)
        outcome = self._check(step, noted)
        # The list may lag behind, and still show deleted versions.
        was_done = outcome is not None and noted in DONE and outcome.state is noted
        self._told(step, outcome or self._deletion(step, noted), was_done=was_done)

    def _refresh(self) -> None:
        self._present.refresh(_STALE)

    def _check(self, step: Step, noted: State | None) -> Outcome | None:
        """Return why a step is not done; `None` if it may be."""
        why = self._why_not(step)
        if why:
            return Outcome(State.CHANGED, why)
        try:
            found = self._packages.version(self._owner, self._plan.package, step.id)
        except PackageUnknownError:
            return _missing(noted)
        why = difference(step, found)
        return Outcome(State.CHANGED, why) if why else None

    def _why_not(self, step: Step) -> str:
        seen = self._present.versions.get(step.id)
        if seen and (why := difference(step, seen)):
            return why
        if self._present.needs(step):
            return "another version may need it now"
        stayed = [digest for digest in step.follows if digest in self._stayed]
        return f"{stayed[0]} needs it and was kept" if stayed else ""

    def _deletion(self, step: Step, noted: State | None) -> Outcome:
        owner, package = self._owner, self._plan.package
        self._present.note_deletion()
        return self._delete(
            (step,),
            lambda: self._packages.delete_version(owner, package, step.id),
            lambda: self._is_there(step.id),
            f"version {step.id} of {self._plan.name}",
            noted,
        )

    def _do_package(self) -> None:
        """Delete the package as a whole, if it has just the versions that the plan names."""
        noted = self._journal.state(self._plan.name, _WHOLE)
        self._present.read()
        if self._present.is_missing:
            was_done = noted in DONE
            outcome = Outcome(noted) if noted and was_done else _missing(noted)
            self._told(None, outcome, was_done=was_done)
            return
        planned = {step.id: step for step in self._plan.steps}
        now = self._present.versions.values()
        new = [v for v in now if v.id not in planned or difference(planned[v.id], v)]
        if new:
            why = f"version {new[0].id} is new or has other tags"
            self._told(None, Outcome(State.CHANGED, why))
            return
        self._told(None, self._deletion_of_package(noted))

    def _deletion_of_package(self, noted: State | None) -> Outcome:
        owner, package = self._owner, self._plan.package
        return self._delete(
            (*self._plan.steps, None),
            lambda: self._packages.delete(owner, package),
            lambda: self._is_there(None),
            self._plan.name,
            noted,
        )

    def _delete(
        self,
        what: tuple[Step | None, ...],
        send: Callable[[], None],
        is_there: Callable[[], bool],
        shown: str,
        noted: State | None,
    ) -> Outcome:
        """Delete something between two entries of the journal."""
        was_begun = noted in _SENT
        self._note(what, State.BEGUN)
        try:
            return delete(send, is_there, shown, was_begun=was_begun)
        except NetworkError as error:
            # Only a deletion that may have happened remains begun.
            if not (was_begun or error.may_be_done):
                self._note(what, State.FAILED, error.message)
            raise

    def _is_there(self, number: int | None) -> bool:
        try:
            if number is None:
                self._packages.get(self._owner, self._plan.package)
            else:
                self._packages.version(self._owner, self._plan.package, number)
        except PackageUnknownError:
            return False
        return True

    # What became of it

    def _told(self, step: Step | None, outcome: Outcome, *, was_done: bool = False) -> None:
        done = Done(self._plan, step, outcome.state, outcome.why, outcome.error, was_done)
        self.report.counts[outcome.state] += len(done.steps)
        self.report.error = self.report.error or outcome.error
        self.report.ends_run |= outcome.ends_run
        self.report.freed += done.freed
        if not was_done:
            state = outcome.state if outcome.is_certain else State.BEGUN
            self._note((step,) if step else (*self._plan.steps, None), state, outcome.why)
        if outcome.state not in DONE and outcome.state is not State.PLANNED:
            self._stayed.update(each.digest for each in done.steps)
        self._tell(done)

    def _note(self, what: tuple[Step | None, ...], state: State, why: str = "") -> None:
        name = self._plan.name
        self._journal.note(
            *(
                Entry(name, step.id, step.digest, step.tags, state, why)
                if step
                else Entry(name, _WHOLE, "", (), state, why)
                for step in what
            )
        )


class _Preview(_Run):
    """A plan that is checked without changing anything."""

    _gone = 0
    _tagged_gone = 0

    def _refresh(self) -> None:
        self._present.refresh(float("inf"))

    def _check(self, step: Step, noted: State | None) -> Outcome | None:
        why = self._why_not(step)
        if why:
            return Outcome(State.CHANGED, why)
        return None if step.id in self._present.versions else _missing(noted)

    def _deletion(self, step: Step, noted: State | None) -> Outcome:  # noqa: ARG002 as in a run
        versions = self._present.versions.values()
        left = len(versions) - self._gone
        tagged_left = sum(bool(v.tags) for v in versions) - self._tagged_gone
        if left == 1 or (step.tags and tagged_left == 1):
            return Outcome(State.RETAINED, "GitHub keeps the last tagged version of a package")
        self._gone += 1
        self._tagged_gone += bool(step.tags)
        return Outcome(State.PLANNED)

    def _deletion_of_package(self, noted: State | None) -> Outcome:  # noqa: ARG002 as in a run
        return Outcome(State.PLANNED)


def _missing(noted: State | None) -> Outcome:
    """Return the outcome for a missing version; a deletion that this run began counts as ours."""
    return Outcome(State.DELETED if noted in _SENT else State.GONE)
