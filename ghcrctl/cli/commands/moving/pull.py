"""``ghcrctl pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import (
    Command,
    digest_file_option,
    format_option,
    pass_app,
    registry_options,
)
from ghcrctl.cli.ordered_output import in_turn
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
    short_help="Bring images from a registry",
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
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Platform to take; given several times, a smaller index of these.",
)
@click.option("--all-platforms", is_flag=True, help="Keep the index with all its platforms.")
@click.option(
    "--foreign-layers",
    type=click.Choice(["fetch", "skip"]),
    default="fetch",
    show_default=True,
    help="Layers that their publisher keeps elsewhere (Windows images).",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the names of what was pulled, no more.")
@click.option("--dry-run", is_flag=True, help="Show what would move, and move nothing.")
@digest_file_option
@format_option
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
    """Bring images from a registry into the local store.

    Of a multi-platform image this machine's platform is taken, as docker does. Several images move
    at once; one that fails does not stop the others.
    """
    results = Results(app, format_, digest_file)
    silent = quiet or results.are_documents
    select = Selection.of(platforms, everything=all_platforms)
    with app.session() as session:
        references = [session.parse(name) for name in names]
        if all_tags:
            references = [tag for name in references for tag in tags_of(session, name)]
        skip = foreign_layers == "skip"

        def act(reference: Reference, out: Out, watch: Watch, workers: Workers) -> PullResult:
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
            in_turn(app, session, once, act, show, results=results, title=_title, quiet=quiet)
        finally:
            results.end()


def _title(reference: Reference) -> str:
    return f"Pulling {reference.tagged()}"


def _header(reference: Reference) -> str:
    return f"{reference.tagged().target}: Pulling from {reference.repository}"


def document(result: PullResult, *, dry_run: bool) -> dict[str, object]:
    """Return what a pull did as a document."""
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
    """Tell of what a pull did, as docker does."""
    name = result.reference
    results.image(str(name), result.digest, result.moved)
    if result.kind:
        app.warn(f"{name} is no container image but an artifact of type {result.kind}")
    if result.skipped:
        app.warn(
            f"{len(result.skipped)} foreign layers of {name} were left out; it cannot run "
            "without them"
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
