"""Run a sync: plan all jobs, copy tags, then delete tags."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.thread_waits import wait_for_result
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.common.batch import submit_all
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.sync.deletions import Deletions
from ghcrctl.operations.sync.plan import Report, TagAction, plan_jobs
from ghcrctl.transfer.events import Planned
from ghcrctl.transfer.meter import TransferMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.sync.plan import Job, Task
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.workers import Workers

    Watch = Callable[[Observer, str], Observer]
    WatchContext = Callable[[], AbstractContextManager[Watch]]


@dataclass(frozen=True, slots=True)
class SyncedTag:
    """The result for one tag.

    Args:
        task: the tag and its action.
        status: the result, such as ``copied``, ``would be copied`` or ``up to date``.
        moved: bytes that were transferred, or would be in a dry run.
        error: why it failed.
    """

    task: Task
    status: str
    moved: int = 0
    error: GhcrctlError | None = None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A repository that cannot be synced, and why."""

    job: Job
    error: GhcrctlError


@contextmanager
def no_watch() -> Iterator[Watch]:
    """Yield a function that returns an observer unchanged."""
    yield lambda observer, _: observer


def run_jobs(  # noqa: PLR0913 all but two by keyword
    session: Session,
    jobs: Sequence[Job],
    *,
    keep_going: bool = False,
    dry_run: bool = False,
    force: bool = False,
    tell: Callable[[SyncedTag | FailedJob], None] = lambda _: None,
    watching: WatchContext = no_watch,
) -> Report:
    """Sync repositories. Failures are counted in the report, not raised.

    Args:
        session: the run.
        jobs: the repositories to sync.
        keep_going: whether to continue after a failure; otherwise, the first failure stops the run.
        dry_run: only plan.
        force: let a tag lose platforms that a job does not select.
        tell: called with the result of each tag, and for each repository that cannot be synced.
        watching: a context manager for the time of the transfers; yields a function that wraps the
            observer of each image, given the image's name.
    """
    run = _Run(session, tell, keep_going=keep_going, dry_run=dry_run, force=force)
    run.run(jobs, watching)
    return run.report


class _Run:
    """One run of all jobs."""

    def __init__(
        self,
        session: Session,
        tell: Callable[[SyncedTag | FailedJob], None],
        *,
        keep_going: bool,
        dry_run: bool,
        force: bool,
    ) -> None:
        self._force = force
        self.report = Report()
        self._session = session
        self._tell = tell
        self._keep_going = keep_going
        self._dry_run = dry_run
        self._planned: dict[str, set[Digest]] = {}

    def run(self, jobs: Sequence[Job], watching: WatchContext) -> None:
        """Run all tasks, or stop after a failure."""
        try:
            tasks = plan_jobs(self._session, jobs, self._job_failed, keep_going=self._keep_going)
            for task in tasks:
                self._count(task)
            self._copy([task for task in tasks if task.what is TagAction.COPY], watching)
            self._delete([task for task in tasks if task.what is TagAction.DELETE])
        except _StoppedError:
            pass

    def _job_failed(self, job: Job, error: GhcrctlError) -> None:
        self.report.fail(error)
        self._tell(FailedJob(job, error))
        self._stop_unless_going()

    def _stop_unless_going(self) -> None:
        if not self._keep_going:
            raise _StoppedError

    def _count(self, task: Task) -> None:
        if task.error:
            self._failed(task, task.error)
            return
        if task.what is TagAction.SAME:
            self.report.same += 1
        elif task.what is TagAction.TOO_OLD:
            self.report.too_old += 1
        else:
            return
        self._tell(SyncedTag(task, task.what.value))

    def _copy(self, tasks: Sequence[Task], watching: WatchContext) -> None:
        with watching() as watch:

            def one(task: Task, workers: Workers) -> _Meter:
                meter = _Meter()
                copy(
                    self._session,
                    task.source,
                    task.target,
                    select=task.job.select,
                    referrers=task.job.referrers,
                    observer=watch(meter, str(task.source)),
                    workers=workers,
                    dry_run=self._dry_run,
                    # If no platforms are selected, the target simply mirrors the source.
                    force=self._force or not task.job.platforms,
                )
                return meter

            with submit_all(self._session, one, tasks) as outcomes:
                for task, outcome in zip(tasks, outcomes, strict=True):
                    try:
                        meter = wait_for_result(outcome)
                    except GhcrctlError as error:
                        self._failed(task, error)
                    else:
                        self._copied(task, meter)

    def _copied(self, task: Task, meter: _Meter) -> None:
        moved = self._would_move(task, meter) if self._dry_run else meter.bytes
        self.report.copied += 1
        self.report.moved += moved
        self._tell(SyncedTag(task, "would be copied" if self._dry_run else "copied", moved))

    def _would_move(self, task: Task, meter: _Meter) -> int:
        """Return the bytes that an image adds to those of earlier images at the same target.

        Content that tags share is transferred once; the root is written for each tag.
        """
        seen = self._planned.setdefault(self._session.resolver.place_of(task.job.target), set())
        new = [one for one in meter.wanted if one.digest not in seen or one == meter.root]
        seen.update(one.digest for one in new if one != meter.root)
        return sum(one.size for one in new)

    def _delete(self, tasks: Sequence[Task]) -> None:
        if self.report.failed and tasks:
            # A kept tag may need what failed to be copied.
            for task in tasks:
                self._tell(SyncedTag(task, "not deleted after a failure"))
            return
        deletions = Deletions(self._session, tasks)
        for task in tasks:
            try:
                if not self._dry_run:
                    deletions.delete(task)
            except GhcrctlError as error:
                self._failed(task, error)
            else:
                self.report.deleted += 1
                self._tell(SyncedTag(task, "would be deleted" if self._dry_run else "deleted"))

    def _failed(self, task: Task, error: GhcrctlError) -> None:
        self.report.fail(error)
        self._tell(SyncedTag(task, "failed", error=error))
        self._stop_unless_going()


class _StoppedError(Exception):
    """The run stops after a failure."""


class _Meter(TransferMeter):
    """Counts transferred bytes, and records what would be transferred."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[Descriptor] = []
        self.root: Descriptor | None = None

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, Planned):
            self.root = event.plan.root
            self.wanted = [step.descriptor for step in event.plan.steps if step.bytes_to_move]
