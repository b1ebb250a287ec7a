"""``ghcrctl pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.options import (
    all_platforms_options,
    dry_run_option,
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.ordered_output import run_in_parallel
from ghcrctl.cli.progress.transfer_lines import PULL_WORDS, LineObserver, PlanObserver
from ghcrctl.cli.results import Results
from ghcrctl.oci.reference import distinct
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.moving.pull import pull, tags_of

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.cli.ordered_output import Out
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@click.command(
    cls=Command,
    examples="""
    ghcrctl pull OWNER/IMAGE
    ghcrctl pull ghcr.io/OWNER/IMAGE:1.0 docker.io/alpine:3.20
    ghcrctl pull OWNER/IMAGE@sha256:82d1e9d7...
    ghcrctl pull --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl pull --all-platforms OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME[:TAG|@DIGEST]...", nargs=-1, required=True)
@click.option("-a", "--all-tags", is_flag=True, help="Pull all tags of the repository.")
@all_platforms_options("pull")
@click.option(
    "--foreign-layers",
    type=click.Choice(["fetch", "skip"]),
    default="fetch",
    show_default=True,
    help="Fetch or skip foreign layers (Windows base images).",
)
@dry_run_option("Show what would be pulled, without pulling.")
@output_options("the names of pulled images")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    all_tags: bool,
    platforms: tuple[str, ...],
    all_platforms: bool,
    foreign_layers: str,
    quiet: bool,
    dry_run: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Pull images from a registry into the local store.

    By default, pull takes the image for this machine's platform. With multiple platforms, a smaller
    index is stored. Images are pulled concurrently. If one fails, the others are still pulled.
    """
    results = Results(app, format_, digest_file)
    silent = quiet or results.are_documents
    select = Selection.of(platforms, everything=all_platforms)
    with app.session() as session:
        references = [session.parse(name) for name in names]
        if all_tags:
            references = [tag for name in references for tag in tags_of(session, name)]
        skip = foreign_layers == "skip"

        def pull_one(reference: Reference, out: Out, watch: Watch, workers: Workers) -> PullResult:
            header = _header(reference)
            lines: Observer = LineObserver(out, app.warn, PULL_WORDS, header, quiet=silent)
            if dry_run:
                lines = PlanObserver(out, header, "download")
            if not (reference.tag or reference.digest or silent):
                out("Using default tag: latest")
            return pull(
                session,
                reference,
                select=select,
                skip_foreign=skip,
                observer=watch(lines, str(reference.tagged())),
                workers=workers,
                dry_run=dry_run,
            )

        once = distinct(references)

        def show(result: PullResult) -> None:
            results.add(document(result, dry_run=dry_run))
            if not dry_run:
                report(app, results, result, quiet=quiet)

        try:
            run_in_parallel(
                app, session, once, pull_one, show, results=results, title=_title, quiet=quiet
            )
        finally:
            results.end()


def _title(reference: Reference) -> str:
    return f"Pulling {reference.tagged()}"


def _header(reference: Reference) -> str:
    return f"{reference.tagged().target}: Pulling from {reference.repository}"


def document(result: PullResult, *, dry_run: bool) -> dict[str, object]:
    """Return the result of a pull as a document."""
    return {
        "Name": str(result.reference),
        "Digest": str(result.digest),
        "Manifest": str(result.descriptor.digest),
        "MediaType": result.descriptor.media_type,
        "ArtifactType": result.kind or None,
        "Updated": result.updated,
        "Moved": result.moved,
        "Skipped": [str(layer.digest) for layer in result.skipped],
        "DryRun": dry_run,
    }


def report(app: App, results: Results, result: PullResult, *, quiet: bool) -> None:
    """Print the result of a pull, as docker does."""
    name = result.reference
    results.add_image(str(name), result.digest, result.moved)
    if result.kind:
        app.warn(f"{name} is not a container image but an artifact of type {result.kind}")
    if result.skipped:
        app.warn(
            f"skipped {quantity(len(result.skipped), 'foreign layer')} of {name}; the image cannot "
            "run without them"
        )
    if quiet:
        results.out(str(name))
        return
    results.out(f"Digest: {result.digest}")
    results.out(
        f"Status: Downloaded newer image for {name}"
        if result.updated
        else f"Status: Image is up to date for {name}"
    )
    results.out(str(name))
