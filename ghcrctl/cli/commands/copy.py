"""``ghcrctl copy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.cli.progress import COPY_WORDS, LineObserver, PlanObserver, watching
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.copy import copy
from ghcrctl.operations.selection import Selection

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.transfer.events import Observer


@click.command(
    cls=Command,
    short_help="Copy an image from one repository to another",
    examples="""
    ghcrctl copy docker.io/alpine:3.20 ghcr.io/OWNER/alpine
    ghcrctl copy OWNER/IMAGE@sha256:82d1e9d7... OWNER/IMAGE:stable
    ghcrctl copy --platform linux/amd64 --platform linux/arm64 OWNER/IMAGE:1.0 registry.local/image
    """,
)
@click.argument("source", metavar="NAME[:TAG|@DIGEST]")
@click.argument("target", metavar="NAME[:TAG]")
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Platform to copy; given several times, a smaller index of these. Without it, all.",
)
@click.option(
    "--allow-nondistributable-artifacts",
    is_flag=True,
    help="Upload foreign layers too, which are otherwise left where their publisher keeps them.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the name of the copy, no more.")
@click.option("--dry-run", is_flag=True, help="Show what would move, and move nothing.")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str,
    target: str,
    platforms: tuple[str, ...],
    allow_nondistributable_artifacts: bool,
    quiet: bool,
    dry_run: bool,
) -> None:
    """Copy an image from one repository to another, with its digest.

    Nothing is stored here. Within one registry no layer moves at all. Without a tag the copy has
    the tag of the source.
    """
    chosen = tuple(Platform.parse(text) for text in platforms)
    with app.session() as session:
        name = session.parse(source).tagged()
        header = f"{name.target}: Copying from {name.name}"
        lines: Observer = LineObserver(
            app.out, app.error_line, COPY_WORDS, header, quiet=quiet, always=True
        )
        if dry_run:
            lines = PlanObserver(app.out, header, "copy")
        with watching(quiet=quiet) as watch:
            result = copy(
                session,
                name,
                session.parse(target),
                select=Selection(chosen, everything=not chosen),
                include_foreign=allow_nondistributable_artifacts,
                observer=watch(lines),
                dry_run=dry_run,
            )
    if dry_run:
        return
    if not quiet:
        app.out(f"Digest: {result.descriptor.digest}")
    app.out(str(result.target))
