"""``ghcrctl packages apply``."""

from __future__ import annotations

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
from ghcrctl.cli.path_types import PATH
from ghcrctl.github.plan import plans_from_file

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages apply plan.json
    ghcrctl packages apply --yes --format json plan.json
    """,
)
@click.argument("file", type=PATH)
@dry_run_option("Show what would be deleted, without deleting.", "-n")
@click.option("-y", "--yes", is_flag=True, help="Do not prompt for confirmation.")
@format_option_beside("text")
@quiet_option("deleted digests")
@registry_options
@pass_app
def command(
    app: App, *, file: Path, dry_run: bool, yes: bool, format_: str | None, quiet: bool
) -> None:
    """Execute the plan in FILE, which `prune --plan` wrote.

    Each version is checked again just before it is deleted. It is kept if its tags differ from the
    plan, or if a version pushed since then needs it. FILE.journal records all deletions: after an
    interruption, the same command resumes, and `restore --run FILE.journal` undoes everything. If
    FILE.journal belongs to another plan, it is renamed first.
    """
    plans = plans_from_file(file)
    options = ExecutionOptions(format_=format_, quiet=quiet, dry_run=dry_run, checks=True, yes=yes)
    with app.session() as session:
        status = PlanExecution(app, session, options).run(plans, plan_file=file)
    if status:
        raise click.exceptions.Exit(status)
