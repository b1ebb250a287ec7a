"""``ghcrctl push``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import (
    dry_run_option,
    force_option,
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.ordered_output import run_in_parallel
from ghcrctl.cli.progress.transfer_lines import PUSH_WORDS, LineObserver, PlanObserver
from ghcrctl.cli.results import Results
from ghcrctl.oci.reference import distinct
from ghcrctl.operations.moving.push import push, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.cli.ordered_output import Out
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.moving.push import PushResult
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@click.command(
    cls=Command,
    examples="""
    ghcrctl push ghcr.io/OWNER/IMAGE:1.0
    ghcrctl push -a OWNER/IMAGE
    ghcrctl push --allow-nondistributable-artifacts registry.local:5000/windows:ltsc2022
    """,
)
@click.argument("names", metavar="NAME[:TAG]...", nargs=-1, required=True)
@click.option("-a", "--all-tags", is_flag=True, help="Push all local tags of the repository.")
@click.option(
    "--allow-nondistributable-artifacts",
    is_flag=True,
    help="Also upload foreign layers (Windows base images).",
)
@force_option
@dry_run_option("Show what would be pushed, without pushing.")
@output_options("the names of pushed images")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    all_tags: bool,
    allow_nondistributable_artifacts: bool,
    force: bool,
    quiet: bool,
    dry_run: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Push local images to their registries.

    Layers that already exist in the registry are not uploaded again. Images are pushed
    concurrently. If one fails, the others are still pushed. A tag that points to an index with more
    platforms is only replaced with --force.
    """
    results = Results(app, format_, digest_file)
    silent = quiet or results.are_documents
    with app.session() as session:
        references = [session.parse(name) for name in names]
        if all_tags:
            references = [tag for name in references for tag in tags_of(session, name)]

        def push_one(reference: Reference, out: Out, watch: Watch, workers: Workers) -> PushResult:
            header = headers.get(reference, "")
            lines: Observer = LineObserver(
                out, app.warn, PUSH_WORDS, header, quiet=silent, always=True
            )
            if dry_run:
                lines = PlanObserver(out, f"{reference.tagged()}:", "upload")
            if not (reference.tag or reference.digest or silent):
                out("Using default tag: latest")
            return push(
                session,
                reference,
                include_foreign=allow_nondistributable_artifacts,
                observer=watch(lines, str(reference.tagged())),
                workers=workers,
                dry_run=dry_run,
                force=force,
            )

        once = distinct(references)
        headers = _headers(once)

        def show(result: PushResult) -> None:
            results.add(_document(result, dry_run=dry_run))
            if not dry_run:
                _report(results, result, quiet=quiet)

        try:
            run_in_parallel(
                app, session, once, push_one, show, results=results, title=_title, quiet=quiet
            )
        finally:
            results.end()


def _title(reference: Reference) -> str:
    return f"Pushing {reference.tagged()}"


def _headers(references: Iterable[Reference]) -> dict[Reference, str]:
    """Return the header of each repository, by the first of its consecutive names."""
    headers: dict[Reference, str] = {}
    previous = ""
    for reference in references:
        if reference.name != previous:
            headers[reference] = f"The push refers to repository [{reference.name}]"
        previous = reference.name
    return headers


def _document(result: PushResult, *, dry_run: bool) -> dict[str, object]:
    return {
        "Name": str(result.reference),
        "Digest": str(result.descriptor.digest),
        "MediaType": result.descriptor.media_type,
        "Size": result.descriptor.size,
        "Moved": result.moved,
        "DryRun": dry_run,
    }


def _report(results: Results, result: PushResult, *, quiet: bool) -> None:
    descriptor = result.descriptor
    results.add_image(str(result.reference), descriptor.digest, result.moved)
    if quiet:
        results.out(str(result.reference))
        return
    results.out(f"{result.reference.tag}: digest: {descriptor.digest} size: {descriptor.size}")
