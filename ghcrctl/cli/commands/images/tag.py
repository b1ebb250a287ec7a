"""``ghcrctl tag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app
from ghcrctl.cli.results import Results
from ghcrctl.operations.images.tag import tag

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl tag 38f737a91f39 ghcr.io/OWNER/NEW_IMAGE:latest
    ghcrctl tag hello_docker OWNER/hello_docker:1.0 OWNER/hello_docker:latest
    """,
)
@click.argument("source", metavar="SOURCE[:TAG|@DIGEST]|ID")
@click.argument("targets", metavar="TARGET[:TAG]...", nargs=-1, required=True)
@format_option
@pass_app
def command(app: App, *, source: str, targets: tuple[str, ...], format_: str | None) -> None:
    """Create one or more names for a local image."""
    results = Results(app, format_)
    with app.session() as session:
        names = [session.parse(target) for target in targets]
        record = tag(session, source, names)
    for name in names:
        results.add(
            {
                "Name": str(name.tagged()),
                "ID": str(record.facts.image_id),
                "Manifest": str(record.descriptor.digest),
            }
        )
    results.end()
