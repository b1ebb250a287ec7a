"""Apply a deletion plan step by step, and check each version again before it is deleted.

A version is deleted only if it still has exactly the digest and tags in the plan, if no version
outside of the plan needs it, and if no version that needs it was kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.errors import NetworkError, PackageUnknownError
from ghcrctl.github.plan import unreadable_error
from ghcrctl.operations.packages.deletion_outcome import Outcome, delete
from ghcrctl.operations.packages.journal import DONE, Entry, State
from ghcrctl.operations.packages.package_graph import no_progress
from ghcrctl.operations.packages.package_names import PackageName, resolve_owner
from ghcrctl.operations.packages.present_state import PresentState, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.journal import Journal
    from ghcrctl.operations.packages.package_graph import Progress

# Maximum age of the list of versions (seconds); an older list is read again.
_MAX_LIST_AGE_SECONDS = 5.0
# The number of the whole package in the journal.
_WHOLE = 0
# States after which a missing version counts as deleted by this plan.
_SENT = frozenset({State.BEGUN, State.DELETED})


@dataclass(slots=True)
class Report:
    """The result of a plan.

    Attributes:
        counts: the number of versions in each state.
        freed: freed space (bytes).
        error: the first failure that the exit status reports.
        ends_run: whether deletions of other packages would fail, too.
    """

    counts: Counter[State] = field(default_factory=Counter)
    freed: int = 0
    error: GhcrctlError | None = None
    ends_run: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The result of one step.

    Args:
        plan: the plan of the package.
        step: the version; ``None`` for the whole package.
        state: the new state of the version; in a preview, the expected state.
        why: the reason.
        error: a failure that the exit status reports.
        was_done: whether an earlier run did this step.
    """

    plan: Plan
    step: Step | None
    state: State
    why: str = ""
    error: GhcrctlError | None = None
    was_done: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """The versions of this step."""
        return (self.step,) if self.step else self.plan.steps

    @property
    def freed(self) -> int:
        """Freed space, or in a preview the expected space (bytes)."""
        if self.state not in {State.DELETED, State.PLANNED}:
            return 0
        return sum(step.freed for step in self.steps)


def apply_plan(
    session: Session,
    plan: Plan,
    journal: Journal,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Report:
    """Apply a plan as far as that is still safe.

    Args:
        session: the run.
        plan: the plan of one package.
        journal: receives an entry before and after each deletion; versions that it records as
            deleted are not deleted again, unless they were restored.
        tell: called with the result of each step.
        progress: called with the number of steps done.

    Raises:
        RateLimitedError: GitHub's rate limit lasts too long; continue later.
        NetworkError: GitHub cannot be reached; continue later.
        AuthError: GitHub rejects the token.
        PackageUnknownError: the package does not exist, or the token cannot read it.
    """
    return _Run(session, plan, journal, tell).run(progress)


def preview_plan(
    session: Session,
    plan: Plan,
    journal: Journal,
    *,
    tell: Callable[[Done], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Report:
    """Return what `apply_plan` would do now, based on the current list of versions.

    Args:
        session: the run.
        plan: the plan of one package.
        journal: the journal as for `apply_plan`; it must not have a file.
        tell: called with the expected result of each step.
        progress: called with the number of steps checked.

    Raises:
        PackageUnknownError: the package does not exist, or the token cannot read it.
    """
    return _Preview(session, plan, journal, tell).run(progress)


class _Run:
    """The execution of a plan."""

    def __init__(
        self, session: Session, plan: Plan, journal: Journal, tell: Callable[[Done], None]
    ) -> None:
        self.report = Report()
        self._plan = plan
        self._journal = journal
        self._tell = tell
        self._packages, self._owner = resolve_owner(
            session, PackageName(plan.registry, plan.owner, plan.package)
        )
        self._present = PresentState(session, plan)
        self._kept: set[str] = set()

    def run(self, progress: Progress) -> Report:
        """Run the steps in order, until no other step can succeed."""
        if self._plan.deletes_package:
            self._delete_package()
            return self.report
        for number, step in enumerate(self._plan.steps, 1):
            self._run_step(step)
            progress("versions", number, len(self._plan.steps))
            # A token that cannot delete one version of a package cannot delete any.
            if self.report.counts[State.DENIED]:
                break
        unread = unreadable_error(self._plan.name, self._present.unreadable)
        self.report.error = self.report.error or unread
        return self.report

    def _run_step(self, step: Step) -> None:
        """Execute one step, or record why it is skipped."""
        noted = self._journal.state(self._plan.name, step.id)
        self._refresh()
        # A deleted version that exists again was restored, so the step must be repeated.
        if noted in DONE and step.id not in self._present.versions:
            self._record_result(step, Outcome(noted), was_done=True)
            return
        if self._present.is_missing and noted not in _SENT:
            # This raises GitHub's error for the package.
            self._packages.get(self._owner, self._plan.package)
        outcome = self._check(step, noted)
        # The list may lag behind, and still show deleted versions.
        was_done = outcome is not None and noted in DONE and outcome.state is noted
        self._record_result(step, outcome or self._deletion(step, noted), was_done=was_done)

    def _refresh(self) -> None:
        self._present.refresh(_MAX_LIST_AGE_SECONDS)

    def _check(self, step: Step, noted: State | None) -> Outcome | None:
        """Return why a step is skipped; ``None`` if it may be done."""
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
        stayed = [digest for digest in step.follows if digest in self._kept]
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

    def _delete_package(self) -> None:
        """Delete the whole package if it has exactly the versions in the plan."""
        noted = self._journal.state(self._plan.name, _WHOLE)
        self._present.read()
        if self._present.is_missing:
            was_done = noted in DONE
            outcome = Outcome(noted) if noted and was_done else _missing(noted)
            self._record_result(None, outcome, was_done=was_done)
            return
        planned = {step.id: step for step in self._plan.steps}
        now = self._present.versions.values()
        new = [v for v in now if v.id not in planned or difference(planned[v.id], v)]
        if new:
            why = f"version {new[0].id} is new or has other tags"
            self._record_result(None, Outcome(State.CHANGED, why))
            return
        self._record_result(None, self._deletion_of_package(noted))

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
        """Delete a version or package, with journal entries before and after."""
        was_begun = noted in _SENT
        self._note(what, State.BEGUN)
        try:
            return delete(send, is_there, shown, was_begun=was_begun)
        except NetworkError as error:
            # Keep the state BEGUN only if the deletion may have happened.
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

    # Results

    def _record_result(
        self, step: Step | None, outcome: Outcome, *, was_done: bool = False
    ) -> None:
        done = Done(self._plan, step, outcome.state, outcome.why, outcome.error, was_done)
        self.report.counts[outcome.state] += len(done.steps)
        self.report.error = self.report.error or outcome.error
        self.report.ends_run |= outcome.ends_run
        self.report.freed += done.freed
        if not was_done:
            state = outcome.state if outcome.is_certain else State.BEGUN
            self._note((step,) if step else (*self._plan.steps, None), state, outcome.why)
        if outcome.state not in DONE and outcome.state is not State.PLANNED:
            self._kept.update(each.digest for each in done.steps)
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
    """A dry run of a plan."""

    _deleted = 0
    _tagged_deleted = 0

    def _refresh(self) -> None:
        self._present.refresh(float("inf"))

    def _check(self, step: Step, noted: State | None) -> Outcome | None:
        why = self._why_not(step)
        if why:
            return Outcome(State.CHANGED, why)
        return None if step.id in self._present.versions else _missing(noted)

    def _deletion(self, step: Step, noted: State | None) -> Outcome:  # noqa: ARG002 same signature
        versions = self._present.versions.values()
        left = len(versions) - self._deleted
        tagged_left = sum(bool(v.tags) for v in versions) - self._tagged_deleted
        if left == 1 or (step.tags and tagged_left == 1):
            return Outcome(State.RETAINED, "GitHub keeps the last tagged version of a package")
        self._deleted += 1
        self._tagged_deleted += bool(step.tags)
        return Outcome(State.PLANNED)

    def _deletion_of_package(self, noted: State | None) -> Outcome:  # noqa: ARG002 same signature
        return Outcome(State.PLANNED)


def _missing(noted: State | None) -> Outcome:
    """Return the outcome for a missing version: DELETED if this plan began its deletion."""
    return Outcome(State.DELETED if noted in _SENT else State.GONE)
