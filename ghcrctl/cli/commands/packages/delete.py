"""``ghcrctl packages delete``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.execute_plans import CarryingOut, Manner
from ghcrctl.cli.options import Command, format_option_beside, pass_app, registry_options
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.package_names import read_name

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Delete a version with what only it needs, or a package",
    examples="""
    ghcrctl packages delete OWNER/IMAGE:TAG
    ghcrctl packages delete OWNER/IMAGE#123456 --dry-run
    ghcrctl packages delete OWNER/IMAGE
    """,
)
@click.argument("name", metavar="OWNER/IMAGE[:TAG|@DIGEST|#ID]")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would happen; delete nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@format_option_beside("text")
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what was deleted, no more.")
@registry_options
@pass_app
def command(
    app: App, *, name: str, dry_run: bool, yes: bool, format_: str | None, quiet: bool
) -> None:
    """Delete one version with what only it needs; without a tag, digest or number, the package.

    A version goes with ALL of its tags; what goes is shown first. `untag` takes one tag away and
    leaves the image. GitHub keeps the last tagged version of a package, and what is public and was
    downloaded more than 5,000 times. `restore` undoes it within 30 days.
    """
    now = datetime.now(timezone.utc)
    manner = Manner(format_=format_, quiet=quiet, dry_run=dry_run, yes=yes)
    with app.session() as session:
        running = CarryingOut(app, session, manner)
        plan = plan_delete(session, read_name(session, name), now, running.counting)
        status = running.run([plan])
    if status:
        raise click.exceptions.Exit(status)
