"""``ghcrctl load``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import (
    output_options,
    pass_app,
    platforms_option,
    progress_option,
)
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.content.ports import Stream
    from ghcrctl.operations.archives.load import Loaded


@click.command(
    cls=Command,
    examples="""
    ghcrctl load -i image.tar
    docker save hello_docker | ghcrctl load
    ghcrctl load -i oci-directory
    ghcrctl load -q -i images.tar | xargs ghcrctl push
    """,
)
@click.option(
    "-i",
    "--input",
    "source",
    metavar="FILE|DIR|-",
    type=PATH_OR_DASH,
    help="Read from a tar archive or directory, instead of stdin.",
)
@platforms_option("Load only this platform (repeatable).")
@click.option(
    "--compress",
    type=click.Choice([Compression.GZIP.value, Compression.ZSTD.value]),
    default=Compression.GZIP.value,
    show_default=True,
    help="Compress uncompressed layers with this algorithm.",
)
@output_options("the names of loaded images")
@progress_option
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str | None,
    platforms: tuple[str, ...],
    compress: str,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Load images from a tar archive or from an OCI image layout directory.

    Reads archives of any version of `docker save` and of podman, skopeo, buildah and ghcrctl, even
    if compressed with gzip, bzip2, xz or zstd. Uncompressed layers are compressed (zstd takes a
    third of the time of gzip), unless that would change the digest of a manifest in the archive.
    """
    results = Results(app, format_, digest_file)
    with app.session() as session, show_transfers(app.display, quiet=quiet) as watch:
        loaded = load(
            session,
            _archive(source),
            select=Selection.of(platforms, everything=not platforms),
            compression=Compression(compress),
            observer=watch(ignore, ""),
        )
    for image in loaded:
        _report(results, image, quiet=quiet)
    results.end()


def _archive(source: str | None) -> Path | Stream:
    if source not in {None, "-"}:
        return Path(str(source))
    if sys.stdin.isatty():
        raise UsageError(
            "requested load from stdin, but stdin is a terminal", hint="ghcrctl load -i FILE"
        )
    return sys.stdin.buffer


def _report(results: Results, image: Loaded, *, quiet: bool) -> None:
    replaced = image.replaced and str(image.replaced)
    tag = image.tag or None
    results.add_created(image.name, image.descriptor, image.image_id, Replaced=replaced, Tag=tag)
    if quiet:
        results.out(image.name or str(image.image_id))
        return
    if replaced:
        results.out(
            f"The image {image.name} already exists, renaming the old one with ID "
            f"{replaced} to empty string"
        )
    if image.name:
        results.out(f"Loaded image: {image.name}")
    else:
        tagged = f" (tagged {image.tag})" if image.tag else ""
        results.out(f"Loaded image ID: {image.image_id}{tagged}")
