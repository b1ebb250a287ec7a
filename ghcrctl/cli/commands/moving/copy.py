"""``ghcrctl copy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.flatten import compression_options
from ghcrctl.cli.options import (
    all_platforms_options,
    dry_run_option,
    force_option,
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.ordered_output import run_in_parallel
from ghcrctl.cli.progress.transfer_lines import COPY_WORDS, LineObserver, PlanObserver
from ghcrctl.cli.results import Results
from ghcrctl.cli.source_target_options import accesses, side_options
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.making.convert import read_conversion
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.moving.copy import CopyOptions
from ghcrctl.operations.moving.copy_many import open_copy
from ghcrctl.operations.moving.endpoints.parse import check_distinct_names, parse_endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.cli.ordered_output import Out
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.copy import Copied
    from ghcrctl.operations.moving.endpoints.base import Endpoint
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@click.command(
    cls=Command,
    examples="""
    ghcrctl copy docker.io/alpine:3.20 ghcr.io/OWNER/alpine
    ghcrctl copy OWNER/IMAGE@sha256:82d1e9d7... OWNER/IMAGE:stable
    ghcrctl copy --platform linux/amd64 --platform linux/arm64 OWNER/IMAGE:1.0 registry.local/image
    ghcrctl copy --referrers OWNER/IMAGE:1.0 OWNER/OTHER:2.0 registry.local/mirror/
    ghcrctl copy OWNER/IMAGE:1.0 oci:directory
    ghcrctl copy archive:image.tar OWNER/IMAGE:1.0
    ghcrctl copy --dest-creds USER --dest-password-stdin OWNER/IMAGE:1.0 registry.local/image
    """,
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.argument("target", metavar="TARGET")
@all_platforms_options("copy")
@click.option(
    "--referrers",
    is_flag=True,
    help="Also copy signatures, attestations and other referrers.",
)
@click.option(
    "--allow-nondistributable-artifacts",
    is_flag=True,
    help="Also upload foreign layers (Windows base images).",
)
@click.option(
    "--to",
    "form",
    type=click.Choice([each.value for each in Format]),
    help="Convert to this format, which changes the digest.",
)
@compression_options
@force_option
@dry_run_option("Show what would be copied, without copying.")
@output_options("the names of copied images")
@side_options
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    sources: tuple[str, ...],
    target: str,
    platforms: tuple[str, ...],
    all_platforms: bool,
    referrers: bool,
    allow_nondistributable_artifacts: bool,
    form: str | None,
    compress: str | None,
    level: int | None,
    force: bool,
    quiet: bool,
    dry_run: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Copy images between registries, archives, layouts and local stores, keeping their digests.

    SOURCE and TARGET are image names at a registry, oci:DIR[:TAG], archive:FILE, docker-daemon:NAME
    or store:NAME. A name with one part is a local image. All platforms are copied by default.
    Copying between registries stores nothing locally, and layers are mounted within one registry.
    Without a tag, the copy gets the tag of the source. To copy multiple images, TARGET is a
    repository, a namespace that ends in `/`, or a place where each image keeps its name. A tag that
    points to an index with more platforms is only replaced with --force.

    --src-creds and --dest-creds prompt for the password, or read it from GHCRCTL_SRC_PASSWORD and
    GHCRCTL_DEST_PASSWORD. A password on the command line is visible to other local users.
    """
    select = Selection.of(platforms, everything=all_platforms)
    options = CopyOptions(
        select if platforms or all_platforms else None,
        allow_nondistributable_artifacts,
        referrers,
        dry_run,
        read_conversion(form, compress, level),
        force=force,
    )
    results = Results(app, format_, digest_file)
    with app.session() as session:
        ends = [parse_endpoint(session, text) for text in dict.fromkeys(sources)]
        into = parse_endpoint(session, target)
        check_distinct_names(ends, into)
        try:
            _copy_all(app, results, session, ends, into, options, quiet=quiet)
        finally:
            results.end()


def _copy_all(  # noqa: PLR0913 one argument an option
    app: App,
    results: Results,
    session: Session,
    ends: Sequence[Endpoint],
    target: Endpoint,
    options: CopyOptions,
    *,
    quiet: bool,
) -> None:
    registries = [end.registry for end in ends if end.registry]
    sides = accesses(app, registries, [target.registry] if target.registry else [])
    kept: list[Copied] = []
    silent = quiet or results.are_documents

    def show(done: Copied) -> None:
        if target.is_sequential:
            # The archive is only complete after the last image.
            kept.append(done)
        else:
            _report(results, done, options, quiet=quiet)

    with open_copy(session, ends, target, options, accesses=sides) as opened:

        def copy_one(end: Endpoint, out: Out, watch: Watch, workers: Workers) -> Copied:
            lines = watch(_lines(app, end, out, options, quiet=silent), _name(end))
            return opened.copy(end, lines, workers=workers)

        for group in opened.groups:
            run_in_parallel(
                app, session, group, copy_one, show, results=results, title=_title, quiet=quiet
            )
    for done in kept:
        _report(results, done, options, quiet=quiet)


def _title(end: Endpoint) -> str:
    return f"Copying {_name(end)}"


def _name(end: Endpoint) -> str:
    known = end.known
    if known and known.reference:
        return str(known.reference)
    return f"{end.where}:{end.what}" if end.what else end.where


def _lines(app: App, end: Endpoint, out: Out, options: CopyOptions, *, quiet: bool) -> Observer:
    header = f"{end.what}: Copying from {end.where}" if end.what else f"Copying from {end.where}"
    if options.dry_run:
        return PlanObserver(out, header, "copy")
    return LineObserver(out, app.warn, COPY_WORDS, header, quiet=quiet, always=True)


def _report(results: Results, done: Copied, options: CopyOptions, *, quiet: bool) -> None:
    digest = done.descriptor.digest
    results.add(
        {
            "Name": done.target.shown,
            "Digest": str(digest),
            "MediaType": done.descriptor.media_type,
            "Referrers": done.referrers,
            "DryRun": options.dry_run,
        }
    )
    if options.dry_run:
        return
    results.add_image(done.target.shown, digest, pinned=done.target.pinned(digest))
    if not quiet:
        if done.referrers:
            results.out(f"Referrers: {done.referrers}")
        results.out(f"Digest: {digest}")
    results.out(done.target.shown)
