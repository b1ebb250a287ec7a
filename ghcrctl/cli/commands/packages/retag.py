"""``ghcrctl packages retag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import force_option, format_option, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.packages.package_names import read_name
from ghcrctl.operations.packages.untag import retag

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages retag OWNER/IMAGE:v1.2.3 latest
    ghcrctl packages retag OWNER/IMAGE@sha256:... v1.2 v1
    """,
)
@click.argument("name", metavar="OWNER/IMAGE[:TAG|@DIGEST]")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@force_option
@format_option
@registry_options
@pass_app
def command(
    app: App, *, name: str, tags: tuple[str, ...], force: bool, format_: str | None
) -> None:
    """Add tags to an image in the registry, or move them from other images.

    Nothing is pulled or stored, and no new version is created.
    """
    results = Results(app, format_)
    with app.session() as session:
        named = read_name(session, name)
        before = retag(session, named, tags, force=force)
    for tag, digest in before.items():
        results.out(f"Tagged: {named.name}:{tag}{f' (was {digest})' if digest else ''}")
        results.add({"Name": f"{named.name}:{tag}", "Before": digest or None})
    results.end()
