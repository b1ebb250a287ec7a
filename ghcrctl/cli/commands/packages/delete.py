"""``ghcrctl packages delete``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.execute_plans import ExecutionOptions, PlanExecution
from ghcrctl.cli.options import (
    dry_run_option,
    format_option_beside,
    pass_app,
    quiet_option,
    registry_options,
)
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.package_names import read_name

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages delete OWNER/IMAGE:TAG
    ghcrctl packages delete OWNER/IMAGE#123456 --dry-run
    ghcrctl packages delete OWNER/IMAGE
    """,
)
@click.argument("name", metavar="OWNER/IMAGE[:TAG|@DIGEST|#ID]")
@dry_run_option("Show what would be deleted, without deleting.", "-n")
@click.option("-y", "--yes", is_flag=True, help="Do not prompt for confirmation.")
@format_option_beside("text")
@quiet_option("deleted digests")
@registry_options
@pass_app
def command(
    app: App, *, name: str, dry_run: bool, yes: bool, format_: str | None, quiet: bool
) -> None:
    """Delete a version and everything only it needs. Without a tag, digest or ID, delete a package.

    A version is deleted with ALL of its tags, after showing them. Use `untag` to remove one tag and
    keep the image. GitHub refuses to delete the last tagged version of a package, and public
    versions with more than 5,000 downloads. `restore` undoes the deletion within 30 days.
    """
    now = datetime.now(timezone.utc)
    options = ExecutionOptions(format_=format_, quiet=quiet, dry_run=dry_run, yes=yes)
    with app.session() as session:
        execution = PlanExecution(app, session, options)
        plan = plan_delete(session, read_name(session, name), now, execution.counter)
        status = execution.run([plan])
    if status:
        raise click.exceptions.Exit(status)
