"""``ghcrctl import``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.byte_progress import count_reads
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import (
    digest_file_option,
    format_option,
    pass_app,
    platform_option,
    progress_option,
)
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.results import Results
from ghcrctl.errors import IntegrityError, UsageError
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.content.ports import Stream
    from ghcrctl.operations.common.session import Session


@click.command(
    cls=Command,
    examples="""
    tar -c -C rootfs . | ghcrctl import - OWNER/IMAGE:1.0
    ghcrctl import -c 'CMD ["/hello"]' -c 'ENV GREETING=hi' rootfs.tar.gz hello_docker
    ghcrctl import -m 'from the build server' https://example.com/rootfs.tar.xz OWNER/IMAGE
    """,
)
@click.argument("source", metavar="FILE|-|URL", type=PATH_OR_DASH)
@click.argument("name", metavar="[NAME[:TAG]]", required=False)
@click.option(
    "-c",
    "--change",
    "changes",
    multiple=True,
    help="Apply Dockerfile instruction to the created image.",
)
@click.option("-m", "--message", default="", help="Set the commit message of the imported image.")
@platform_option
@digest_file_option
@format_option
@progress_option
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str,
    name: str | None,
    changes: tuple[str, ...],
    message: str,
    platform: str | None,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Import the contents of a tar archive to create an image.

    The archive may be compressed with gzip, bzip2, xz or zstd. Prints the ID of the new image. The
    creation time is SOURCE_DATE_EPOCH if it is set.
    """
    from ghcrctl.content.redaction import without_secrets
    from ghcrctl.operations.making.import_image import import_image
    from ghcrctl.transfer.error_context import error_context

    results = Results(app, format_, digest_file)
    shown = without_secrets(source)
    with (
        app.session() as session,
        _opened(session, source) as file,
        count_reads(app, file, _short(shown)) as stream,
    ):
        reference = session.parse(name).tagged() if name else None
        with error_context("standard input" if source == "-" else shown, IntegrityError):
            result = import_image(
                session.store,
                stream,
                reference=reference,
                changes=changes,
                message=message or f"Imported from {shown}",
                platform=Platform.parse(platform) if platform else session.settings.platform,
                created=session.settings.source_date,
            )
    results.add_created(result.name, result.descriptor, result.image_id)
    results.out(str(result.image_id))
    results.end(single=True)


def _short(source: str) -> str:
    return "standard input" if source == "-" else source.rpartition("/")[2]


@contextmanager
def _opened(session: Session, source: str) -> Iterator[Stream]:
    from ghcrctl.operations.making.import_image import open_import

    if source != "-":
        with open_import(session, source) as stream:
            yield stream
        return
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal", hint="tar -c . | ghcrctl import - NAME")
    yield sys.stdin.buffer
