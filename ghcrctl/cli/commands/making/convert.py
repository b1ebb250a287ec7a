"""``ghcrctl convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.flatten import compression_options, make_image, naming_options
from ghcrctl.cli.options import pass_app, registry_options
from ghcrctl.errors import UsageError
from ghcrctl.operations.making.convert import convert_image, read_conversion
from ghcrctl.operations.making.media_formats import Format

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl convert --to oci --replace OWNER/IMAGE:1.0
    ghcrctl convert --to oci --compress zstd OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.0-zstd
    ghcrctl convert --compress gzip --level 9 --force OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.0-small
    """,
)
@click.argument("source", metavar="IMAGE")
@naming_options
@click.option(
    "--to",
    "wanted",
    type=click.Choice([each.value for each in Format]),
    help="Convert media types to this format.",
)
@compression_options
@click.option("--force", is_flag=True, help="Also recompress layers with the same compression.")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str,
    target: str | None,
    wanted: str | None,
    compress: str | None,
    level: int | None,
    force: bool,
    replace: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Convert between OCI and Docker formats, or recompress layers.

    All images of an index are converted. The config and the image ID do not change. The digest
    changes, so signatures of the source do not apply to the new image. Without --tag or --replace,
    the new image is pushed by digest and no tag changes.
    """
    conversion = read_conversion(wanted, compress, level, force=force)
    if conversion is None:
        raise UsageError("nothing to convert: expected --to, --compress or both")
    with app.session() as session:
        make_image(
            app,
            session,
            source,
            target,
            lambda here, old, new, observer: convert_image(
                here, old, new, conversion, observer, replace=replace
            ),
            local=local,
            quiet=quiet,
            digest_file=digest_file,
            format_=format_,
        )
