"""``ghcrctl sync``."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import (
    dry_run_option,
    force_option,
    format_option_beside,
    pass_app,
    platforms_option,
    quiet_option,
    registry_options,
)
from ghcrctl.cli.path_types import PATH
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.times import parse_point_in_time
from ghcrctl.operations.sync.plan import Job, Report, TagAction, check_job
from ghcrctl.operations.sync.run import FailedJob, SyncedTag, run_jobs

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.errors import GhcrctlError


@click.command(
    cls=Command,
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
    type=PATH,
    help="Read what to sync from a YAML or TOML file.",
)
@click.option(
    "--include",
    metavar="PATTERN",
    multiple=True,
    help="Only sync tags that match this pattern (repeatable).",
)
@click.option(
    "--exclude",
    metavar="PATTERN",
    multiple=True,
    help="Skip tags that match this pattern (repeatable).",
)
@click.option("--newer-than", metavar="SPAN|DATE", help="Only sync newer images (30d, 2026-01-31).")
@click.option("--delete", is_flag=True, help="Delete tags that are missing from the source.")
@platforms_option("Copy only this platform (repeatable).")
@click.option("--referrers", is_flag=True, help="Also copy signatures and attestations.")
@force_option
@dry_run_option("Show what would be synced, without syncing.")
@click.option(
    "--keep-going", is_flag=True, help="Continue after failures and report them at the end."
)
@format_option_beside("text")
@quiet_option("the names of copied images")
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
    force: bool,
    dry_run: bool,
    keep_going: bool,
    format_: str | None,
    quiet: bool,
) -> None:
    """Mirror the tags of repository SOURCE to repository TARGET, keeping digests.

    Nothing is stored locally. Tags that are up to date take one request each. A pattern is a glob,
    re:REGEX, /REGEX/ or semver:RANGE. Patterns apply to both repositories, so --delete never
    deletes tags that they do not match. Tags that only hold signatures are skipped, and --referrers
    copies their content.
    """
    results = Results(app, format_)
    now = datetime.now(timezone.utc)
    with app.session() as session:
        if file:
            from ghcrctl.operations.sync.config_file import read_jobs

            is_dated = newer_than is not None
            if source or include or exclude or is_dated or delete or platforms or referrers:
                raise UsageError("--file cannot be combined with SOURCE, TARGET or rules")
            jobs = read_jobs(file, session.parse, now)
        elif source and target:
            job = Job(
                session.parse(source),
                session.parse(target),
                include,
                exclude,
                _moment(newer_than, now),
                delete,
                tuple(map(Platform.parse, platforms)),
                referrers,
            )
            check_job(job)
            jobs = [job]
        else:
            raise UsageError("give SOURCE and TARGET, or --file FILE")
        show = _Show(app, results, quiet=quiet, dry_run=dry_run)
        bars = partial(show_transfers, app.display, quiet=quiet)
        how = {"keep_going": keep_going, "dry_run": dry_run, "force": force}
        try:
            report = run_jobs(session, jobs, tell=show, watching=bars, **how)
            show.end(report)
        finally:
            results.end()
    if report.first:
        raise click.exceptions.Exit(report.first.exit_status)


def _moment(newer_than: str | None, now: datetime) -> datetime | None:
    if newer_than is None:
        return None
    return parse_point_in_time(newer_than, now, f"--newer-than {newer_than}")


class _Show:
    """Prints the result of each tag and the totals."""

    def __init__(self, app: App, results: Results, *, quiet: bool, dry_run: bool) -> None:
        self._app = app
        self._results = results
        self._quiet = quiet
        self._dry_run = dry_run
        self._header = ""

    def __call__(self, done: SyncedTag | FailedJob) -> None:
        """Print the result of a tag, or the error of a repository."""
        if isinstance(done, FailedJob):
            self._job(done.job, done.error)
        else:
            self._tag(done)

    def _tag(self, done: SyncedTag) -> None:
        task, status, error = done.task, done.status, done.error
        self._add(str(task.source), str(task.target), status, done.moved, error)
        if error:
            self._app.report(error)
        if self._quiet:
            if task.what is TagAction.COPY and not error:
                self._results.out(str(task.target))
            return
        header = f"{task.job.source.name} -> {task.job.target.name}"
        if header != self._header:
            self._results.out(header)
        self._header = header
        size = f" ({human_size(done.moved)})" if task.what is TagAction.COPY and not error else ""
        self._results.out(f"  {task.tag}: {status}{size}")

    def _job(self, job: Job, error: GhcrctlError) -> None:
        self._add(str(job.source), str(job.target), "failed", 0, error)
        self._app.report(error)

    def _add(
        self, source: str, target: str, status: str, moved: int, error: GhcrctlError | None
    ) -> None:
        line = {"Source": source, "Target": target, "Status": status, "Bytes": moved}
        self._results.add({**line, **error_fields(error)})

    def end(self, report: Report) -> None:
        """Print the totals."""
        if self._quiet:
            return
        would = "would be " if self._dry_run else ""
        parts = [
            f"{report.copied} {would}copied ({human_size(report.moved)})",
            f"{report.same} up to date",
            *([f"{report.too_old} too old"] if report.too_old else []),
            *([f"{report.deleted} {would}deleted"] if report.deleted else []),
            *([f"{report.failed} failed"] if report.failed else []),
        ]
        self._results.out(", ".join(parts))
