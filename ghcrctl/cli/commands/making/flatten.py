"""``ghcrctl flatten``, and code shared with ``rebase`` and ``convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import (
    Option,
    output_options,
    pass_app,
    platforms_option,
    registry_options,
)
from ghcrctl.cli.progress.transfer_lines import COPY_WORDS, LineObserver, show_transfers
from ghcrctl.cli.report_created import report_created
from ghcrctl.cli.results import Results
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
from ghcrctl.operations.making.indexes import parse_index_target, parse_source
from ghcrctl.operations.making.staged_layers import CompressionOptions, read_compression_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.transfer.events import Observer

    Function = TypeVar("Function", bound=Callable[..., Any])
    Create = Callable[[Session, IndexTarget, IndexTarget | None, Observer], NewImage]

COMPRESSIONS = ("gzip", "zstd", "none")


def local_option(function: Function) -> Function:
    """Add ``--local``."""
    return click.option(
        "--local",
        is_flag=True,
        help="Use the local store, even for names with a registry.",
    )(function)


def place_options(function: Function) -> Function:
    """Add ``--local`` and the options for the output."""
    return local_option(output_options("the digest")(function))


def naming_options(function: Function) -> Function:
    """Add the options for the name of the new image, the source and the output."""
    name = click.option(
        "-t",
        "--tag",
        "target",
        metavar="NAME[:TAG]",
        help="Set the name and optionally the tag of the new image.",
    )
    return name(replace_option(place_options(function)))


def replace_option(function: Function) -> Function:
    """Add ``--replace``."""
    return click.option("--replace", is_flag=True, help="Move the source's tag to the new image.")(
        function
    )


def compression_options(function: Function) -> Function:
    """Add ``--compress`` and ``--level``."""
    level = click.option(
        "--level",
        cls=Option,
        type=int,
        metavar="N",
        show_default="gzip 6, zstd 3",
        help="Set the compression level (gzip 1-9, zstd 1-19).",
    )
    algorithm = click.option(
        "--compress",
        type=click.Choice(COMPRESSIONS),
        help="Compress layers with this algorithm.",
    )
    return algorithm(level(function))


def make_image(  # noqa: PLR0913 one argument an option
    app: App,
    session: Session,
    source: str,
    target: str | None,
    create: Create,
    *,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Create an image from another image and report the result."""
    results = Results(app, format_, digest_file)
    given = parse_index_target(session, target, local=local) if target else None
    with show_transfers(app.display, quiet=quiet) as watch:
        lines = LineObserver(results.out, app.warn, COPY_WORDS, "", quiet=quiet)
        old = parse_source(session, source, local=local)
        observer = watch(lines, str((given or old).reference))
        created = create(session, old, given, observer)
    report_created(results, session, created, quiet=quiet)


@click.command(
    cls=Command,
    examples="""
    ghcrctl flatten OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.0-flat
    ghcrctl flatten --compress zstd --level 9 OWNER/IMAGE:1.0
    ghcrctl flatten --replace hello_docker
    """,
)
@click.argument("source", metavar="IMAGE")
@naming_options
@platforms_option("Only keep this platform of an index (repeatable).")
@compression_options
@click.option("-m", "--message", default="", help="Set the comment in the image history.")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str,
    target: str | None,
    platforms: tuple[str, ...],
    compress: str | None,
    level: int | None,
    message: str,
    replace: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Squash all layers of an image into one.

    The result is reproducible. Owners, times, hard links and extended attributes are kept, and so
    is the config except for its history. The creation time is SOURCE_DATE_EPOCH if it is set, and
    that of the image otherwise. Without --tag or --replace, the new image is pushed by digest and
    no tag changes.
    """
    how = read_compression_options(compress, level) or CompressionOptions()
    with app.session() as session:
        flattening = FlattenOptions(
            how,
            tuple(Platform.parse(text) for text in platforms),
            message,
            session.settings.source_date,
        )
        make_image(
            app,
            session,
            source,
            target,
            lambda here, old, new, observer: flatten_image(
                here, old, new, flattening, observer, replace=replace
            ),
            local=local,
            quiet=quiet,
            digest_file=digest_file,
            format_=format_,
        )
