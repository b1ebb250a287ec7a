"""``ghcrctl packages check``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.counting import Counting
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.packages.check import check_packages

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.check import Finding


@click.command(
    cls=Command,
    short_help="Find what is broken in a package",
    examples="""
    ghcrctl packages check OWNER/IMAGE
    ghcrctl packages check 'OWNER/*' --format json
    """,
)
@click.argument("names", metavar="OWNER/IMAGE...", nargs=-1, required=True)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@registry_options
@pass_app
def command(app: App, *, names: tuple[str, ...], format_: str) -> None:
    """Find what is broken: indexes that lack images, signatures of what is gone, missing metadata.

    The exit status is 6 where somebody's pull fails for it.
    """
    counting = Counting(app)
    breaks = False
    with app.session() as session:
        for named, found in check_packages(session, names, counting):
            counting.clear()
            for finding in found:
                breaks = breaks or finding.trouble.breaks
                if finding.trouble.breaks:
                    app.actions.error(f"{named.name}: {finding.message}")
                if format_ == "json":
                    app.out(json.dumps(_json(named.name, finding)))
                else:
                    app.out(f"{named.name}: {finding.trouble.value}: {finding.message}")
                    app.out(f"  mend: {finding.mend}")
            if not found and format_ == "text":
                app.out(f"{named.name}: all is well")
    if breaks:
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _json(name: str, finding: Finding) -> dict[str, object]:
    return {
        "Package": name,
        "Trouble": finding.trouble.value,
        "Breaks": finding.trouble.breaks,
        "Message": finding.message,
        "Mend": finding.mend,
        "Digest": finding.digest,
        "Tags": list(finding.tags),
        "Missing": list(finding.missing),
        "Restorable": [digest for digest, _ in finding.restorable],
    }
