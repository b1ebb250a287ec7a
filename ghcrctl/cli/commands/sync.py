"""``ghcrctl sync``."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.cli.progress import watching
from ghcrctl.errors import GhcrctlError, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.copy import copy
from ghcrctl.operations.moments import read_moment
from ghcrctl.operations.several import several
from ghcrctl.operations.sync import Job, Report, Task, What, check_job, plan_jobs
from ghcrctl.operations.sync_deletions import Deletions
from ghcrctl.transfer.events import Finished, Outcome, Planned
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Event
    from ghcrctl.transfer.workers import Workers


@click.command(
    cls=Command,
    short_help="Make the tags of a repository be those of another one",
    examples="""
    ghcrctl sync docker.io/alpine OWNER/alpine --include 'semver:>=3.19' --dry-run
    ghcrctl sync OWNER/IMAGE registry.local/image --exclude '*-dev' --delete
    ghcrctl sync --file sync.yaml --keep-going
    """,
)
@click.argument("source", metavar="[SOURCE", required=False)
@click.argument("target", metavar="TARGET]", required=False)
@click.option(
    "--file",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Many, from YAML or TOML.",
)
@click.option(
    "--include",
    metavar="PATTERN",
    multiple=True,
    help="Tags to sync: a glob, re:REGEX, /REGEX/ or semver:RANGE; all without it.",
)
@click.option("--exclude", metavar="PATTERN", multiple=True, help="Tags to leave alone.")
@click.option("--newer-than", metavar="SPAN|DATE", help="Only images made since then: 30d.")
@click.option("--delete", is_flag=True, help="Delete tags that the source has not.")
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Platform to copy; given several times, a smaller index of these. Without it, all.",
)
@click.option("--referrers", is_flag=True, help="Copy signatures and attestations too.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option(
    "--keep-going", is_flag=True, help="Go on after failures, and report them in the end."
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("-q", "--quiet", is_flag=True, help="Print what changes, no more.")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str | None,
    target: str | None,
    file: Path | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    newer_than: str | None,
    delete: bool,
    platforms: tuple[str, ...],
    referrers: bool,
    dry_run: bool,
    keep_going: bool,
    format_: str,
    quiet: bool,
) -> None:
    """Make the tags of the repository TARGET be those of SOURCE, with their digests.

    Nothing is stored here. What both have already costs one question each. Tags that only hold
    signatures and the like are left out; --referrers copies what they hold. Patterns choose on
    both sides: --delete touches no tag that they do not choose.
    """
    now = datetime.now(timezone.utc)
    with app.session() as session:
        if file:
            from ghcrctl.operations.sync_file import read_jobs

            if source or include or exclude or newer_than or delete or platforms or referrers:
                raise UsageError("--file says what is synced: write the rules there")
            jobs = read_jobs(file, session.parse, now)
        elif source and target:
            job = Job(
                session.parse(source),
                session.parse(target),
                include,
                exclude,
                read_moment(newer_than, now, f"--newer-than {newer_than}") if newer_than else None,
                delete,
                tuple(map(Platform.parse, platforms)),
                referrers,
            )
            check_job(job)
            jobs = [job]
        else:
            raise UsageError("say SOURCE and TARGET, or --file FILE")
        show = _Show(app, as_json=format_ == "json", quiet=quiet, dry_run=dry_run)
        run = _Run(session, show, keep_going=keep_going, dry_run=dry_run, quiet=quiet)
        run.run(jobs)
    if run.report.first:
        raise click.exceptions.Exit(run.report.first.exit_status)


class _Show:
    """Prints what became of tags."""

    def __init__(self, app: App, *, as_json: bool, quiet: bool, dry_run: bool) -> None:
        self._app = app
        self._as_json = as_json
        self._quiet = quiet
        self._dry_run = dry_run
        self._header = ""

    def tag(
        self, task: Task, status: str, moved: int = 0, error: GhcrctlError | None = None
    ) -> None:
        """Tell of one tag."""
        if self._as_json:
            line = {
                "Source": str(task.source),
                "Target": str(task.target),
                "Status": status,
                "Bytes": moved,
                **({"Error": error.code, "Message": error.message} if error else {}),
            }
            self._app.out(json.dumps(line))
            return
        if error:
            self._app.report(error)
        is_news = task.what in {What.COPY, What.DELETE}
        if self._quiet and not is_news:
            return
        header = f"{task.job.source.name} -> {task.job.target.name}"
        if header != self._header and not self._quiet:
            self._app.out(header)
        self._header = header
        shown = str(task.target) if self._quiet else f"  {task.tag}"
        size = f" ({human_size(moved)})" if task.what is What.COPY and not error else ""
        self._app.out(f"{shown}: {status}{size}")

    def job(self, job: Job, error: GhcrctlError) -> None:
        """Tell of a repository that cannot be synced."""
        if self._as_json:
            line = {"Source": str(job.source), "Target": str(job.target), "Status": "failed"}
            self._app.out(json.dumps({**line, "Error": error.code, "Message": error.message}))
        else:
            self._app.report(error)

    def end(self, report: Report) -> None:
        """Tell how all went."""
        if self._as_json or self._quiet:
            return
        would = "would be " if self._dry_run else ""
        parts = [
            f"{report.copied} {would}copied ({human_size(report.moved)})",
            f"{report.same} up to date",
            *([f"{report.too_old} too old"] if report.too_old else []),
            *([f"{report.deleted} {would}deleted"] if report.deleted else []),
            *([f"{report.failed} failed"] if report.failed else []),
        ]
        self._app.out(", ".join(parts))


class _Run:
    """One run over all jobs."""

    def __init__(
        self, session: Session, show: _Show, *, keep_going: bool, dry_run: bool, quiet: bool
    ) -> None:
        self.report = Report()
        self._session = session
        self._show = show
        self._keep_going = keep_going
        self._dry_run = dry_run
        self._quiet = quiet
        self._planned: dict[str, set[Digest]] = {}

    def run(self, jobs: Sequence[Job]) -> None:
        try:
            tasks = plan_jobs(self._session, jobs, self._job_failed, keep_going=self._keep_going)
            for task in tasks:
                self._count(task)
            self._copy([task for task in tasks if task.what is What.COPY])
            self._delete([task for task in tasks if task.what is What.DELETE])
        except _StoppedError:
            pass
        self._show.end(self.report)

    def _job_failed(self, job: Job, error: GhcrctlError) -> None:
        self.report.fail(error)
        self._show.job(job, error)
        self._stop_unless_going()

    def _stop_unless_going(self) -> None:
        if not self._keep_going:
            raise _StoppedError

    def _count(self, task: Task) -> None:
        if task.error:
            self._failed(task, task.error)
            return
        if task.what is What.SAME:
            self.report.same += 1
        elif task.what is What.TOO_OLD:
            self.report.too_old += 1
        else:
            return
        self._show.tag(task, task.what.value)

    def _copy(self, tasks: Sequence[Task]) -> None:
        with watching(quiet=self._quiet) as watch:

            def one(task: Task, workers: Workers) -> _Meter:
                meter = _Meter()
                copy(
                    self._session,
                    task.source,
                    task.target,
                    select=task.job.select,
                    referrers=task.job.referrers,
                    observer=watch(meter),
                    workers=workers,
                    dry_run=self._dry_run,
                )
                return meter

            with several(self._session, one, tasks) as outcomes:
                for task, outcome in zip(tasks, outcomes, strict=True):
                    try:
                        meter = outcome.result()
                    except GhcrctlError as error:
                        self._failed(task, error)
                    else:
                        moved = self._would_move(task, meter) if self._dry_run else meter.bytes
                        self.report.copied += 1
                        self.report.moved += moved
                        self._show.tag(
                            task, "would be copied" if self._dry_run else "copied", moved
                        )

    def _would_move(self, task: Task, meter: _Meter) -> int:
        """Return how many bytes an image adds to those before it, at one target.

        What tags share moves once; only what a tag stands for is put again for each.
        """
        seen = self._planned.setdefault(task.job.target.name, set())
        new = [one for one in meter.wanted if one.digest not in seen or one == meter.root]
        seen.update(one.digest for one in new if one != meter.root)
        return sum(one.size for one in new)

    def _delete(self, tasks: Sequence[Task]) -> None:
        if self.report.failed and tasks:
            # What failed to come may be why something else must stay.
            for task in tasks:
                self._show.tag(task, "not deleted, since something failed")
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
                self._show.tag(task, "would be deleted" if self._dry_run else "deleted")

    def _failed(self, task: Task, error: GhcrctlError) -> None:
        self.report.fail(error)
        self._show.tag(task, "failed", error=error)
        self._stop_unless_going()


class _StoppedError(Exception):
    """Nothing more is to be done after a failure."""


class _Meter:
    """Counts the bytes that move, and notes what would."""

    def __init__(self) -> None:
        self.bytes = 0
        self.wanted: list[Descriptor] = []
        self.root: Descriptor | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Planned):
            steps, self.root = event.plan.steps, event.plan.root
            self.wanted = [step.descriptor for step in steps if step.action is Action.COPY]
        elif isinstance(event, Finished) and event.outcome is Outcome.COPIED:
            self.bytes += event.step.descriptor.size
