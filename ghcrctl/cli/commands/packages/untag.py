"""``ghcrctl packages untag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app, registry_options
from ghcrctl.cli.ordered_output import run_in_sequence
from ghcrctl.cli.results import Results
from ghcrctl.operations.packages.package_names import read_tags
from ghcrctl.operations.packages.untag import untag

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.package_names import PackageName


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages untag OWNER/IMAGE:TAG
    ghcrctl packages untag OWNER/IMAGE:rc1 OWNER/IMAGE:rc2
    """,
)
@click.argument("names", metavar="OWNER/IMAGE:TAG...", nargs=-1, required=True)
@format_option
@registry_options
@pass_app
def command(app: App, *, names: tuple[str, ...], format_: str | None) -> None:
    """Remove tags without deleting their images.

    GitHub has no API for this. ghcrctl moves the tag to an empty version and deletes that version,
    but only if it has exactly that tag. An image without tags is kept until it is pruned.
    """
    results = Results(app, format_)
    with app.session() as session:

        def untag_one(named: PackageName) -> None:
            has_others = untag(session, named)
            results.out(f"Untagged: {named.name}:{named.tag}")
            results.add({"Name": f"{named.name}:{named.tag}", "HasOtherTags": has_others})
            if not has_others:
                app.warn(f"the image of {named.name}:{named.tag} has no tags left")

        run_in_sequence(app, read_tags(session, names), untag_one, results)
