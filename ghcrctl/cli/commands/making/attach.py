"""``ghcrctl attach``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.making.artifact import file_options, read_annotations
from ghcrctl.cli.options import (
    Command,
    digest_file_option,
    format_option,
    pass_app,
    registry_options,
)
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import watching
from ghcrctl.cli.results import Results
from ghcrctl.operations.making.artifact import FileEntry, attach
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Attach files to an image in a registry",
    examples="""
    ghcrctl attach --type application/spdx+json OWNER/IMAGE:1.0 sbom.spdx.json
    ghcrctl referrers OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.argument("files", metavar="FILE[:TYPE]...", nargs=-1, required=True, type=PATH_OR_DASH)
@file_options
@click.option("-q", "--quiet", is_flag=True, help="Print the new artifact's name, no more.")
@digest_file_option
@format_option
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
    """Attach files to an image in a registry: an SBOM, a signature, a report.

    The image stays what it is. Where the registry lists no referrers, as ghcr.io, the tag
    sha256-DIGEST keeps the list.
    """
    results = Results(app, format_, digest_file)
    with app.session() as session, watching(app.display, quiet=quiet) as watch:
        reference = session.parse(name)
        made = attach(
            session,
            reference,
            [FileEntry.parse(text) for text in files],
            artifact_type,
            annotations=read_annotations(annotations),
            observer=watch(ignore, str(reference)),
        )
    if made.subject and not quiet:
        results.out(f"Attached to {made.subject.digest}")
    results.out(str(made.reference))
    results.made(
        str(made.reference),
        made.descriptor,
        ArtifactType=artifact_type,
        Subject=made.subject and str(made.subject.digest),
    )
    results.end(single=True)
