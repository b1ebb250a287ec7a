"""``ghcrctl packages apply``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.execute_plans import CarryingOut, Manner
from ghcrctl.cli.options import Command, format_option_beside, pass_app, registry_options
from ghcrctl.cli.path_types import PATH
from ghcrctl.github.plan import plans_from_file

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Carry out a plan that prune wrote",
    examples="""
    ghcrctl packages apply plan.json
    ghcrctl packages apply --yes --format json plan.json
    """,
)
@click.argument("file", type=PATH)
@click.option("-n", "--dry-run", is_flag=True, help="Show what apply would do now.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@format_option_beside("text")
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what was deleted, no more.")
@registry_options
@pass_app
def command(
    app: App, *, file: Path, dry_run: bool, yes: bool, format_: str | None, quiet: bool
) -> None:
    """Carry out the plan in FILE.

    Each version is checked again just before it is deleted. It is kept if its tags differ from the
    plan, or if something that was pushed since needs it. FILE.journal records what was done: after
    an interruption, the same command continues, and `restore --run FILE.journal` undoes it all. The
    journal of another plan with the same file name is kept under a name of its own.
    """
    plans = plans_from_file(file)
    manner = Manner(format_=format_, quiet=quiet, dry_run=dry_run, checks=True, yes=yes)
    with app.session() as session:
        status = CarryingOut(app, session, manner).run(plans, plan_file=file)
    if status:
        raise click.exceptions.Exit(status)
