"""``ghcrctl attach``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.artifact import file_options, read_annotations
from ghcrctl.cli.options import (
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.operations.making.artifact import FileEntry, attach
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl attach --type application/spdx+json OWNER/IMAGE:1.0 sbom.spdx.json
    ghcrctl referrers OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.argument("files", metavar="FILE[:TYPE]...", nargs=-1, required=True, type=PATH_OR_DASH)
@file_options
@output_options("the name of the new artifact")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    files: tuple[str, ...],
    artifact_type: str,
    annotations: tuple[str, ...],
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Attach files to an image in a registry, such as an SBOM, a signature or a report.

    The image itself does not change. For registries without a referrers API, such as ghcr.io, the
    list of referrers is stored under the fallback tag sha256-DIGEST.
    """
    results = Results(app, format_, digest_file)
    with app.session() as session, show_transfers(app.display, quiet=quiet) as watch:
        reference = session.parse(name)
        created = attach(
            session,
            reference,
            [FileEntry.parse(text) for text in files],
            artifact_type,
            annotations=read_annotations(annotations),
            observer=watch(ignore, str(reference)),
        )
    if created.subject and not quiet:
        results.out(f"Attached to {created.subject.digest}")
    results.out(str(created.reference))
    results.add_created(
        str(created.reference),
        created.descriptor,
        ArtifactType=artifact_type,
        Subject=created.subject and str(created.subject.digest),
    )
    results.end(single=True)
