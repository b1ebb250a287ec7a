"""``ghcrctl packages untag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, format_option, pass_app, registry_options
from ghcrctl.cli.ordered_output import one_by_one
from ghcrctl.cli.results import Results
from ghcrctl.operations.packages.package_names import read_tags
from ghcrctl.operations.packages.untag import untag

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.package_names import Named


@click.command(
    cls=Command,
    short_help="Take tags away and leave the images",
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
    """Take tags away and leave the images that have them.

    GitHub has no way to do that: an empty version takes the tag over, and is deleted; it is deleted
    only if it carries exactly that tag. An image whose last tag goes stays too, until it is pruned.
    """
    results = Results(app, format_)
    with app.session() as session:

        def untag_one(named: Named) -> None:
            has_others = untag(session, named)
            results.out(f"Untagged: {named.name}:{named.tag}")
            results.add({"Name": f"{named.name}:{named.tag}", "HasOtherTags": has_others})
            if not has_others:
                app.warn(
                    f"the version that `{named.tag}` of {named.name} pointed to has no tags now"
                )

        one_by_one(app, read_tags(session, names), untag_one, results)
