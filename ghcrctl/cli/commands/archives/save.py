"""``ghcrctl save``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.binary_output import open_binary_output, require_output_file
from ghcrctl.cli.byte_progress import count_writes
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.format_option import split_format_option
from ghcrctl.cli.options import Option, pass_app, platforms_option, progress_option
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.layers.compression import Compression
from ghcrctl.operations.archives.save import Format, check_save_options, save
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.store.output_files import check_not_read
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.operations.archives.save import SavedImage


@click.command(
    cls=Command,
    examples="""
    ghcrctl save -o image.tar OWNER/IMAGE:1.0
    ghcrctl save OWNER/IMAGE:1.0 | ssh host docker load
    ghcrctl save --compress zstd -o images.tar.zst OWNER/IMAGE:1.0 OWNER/OTHER:2.0
    ghcrctl save --without OWNER/IMAGE:1.0 -o update.tar OWNER/IMAGE:1.1
    ghcrctl save --format oci-dir -o directory OWNER/IMAGE:1.0
    ghcrctl save --format docker --format json -o image.tar OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME|ID...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR|-",
    type=PATH_OR_DASH,
    help="Write to a file or directory, instead of stdout.",
)
@click.option(
    "--format",
    "formats",
    metavar="oci|docker|oci-dir|FORMAT",
    multiple=True,
    cls=Option,
    show_default="oci",
    help="Archive format, and output format (json or a Go template).",
)
@click.option(
    "--compress",
    type=click.Choice([Compression.GZIP.value, Compression.ZSTD.value]),
    help="Compress the whole archive.",
)
@platforms_option("Save only this platform (repeatable).")
@click.option(
    "--without",
    metavar="NAME|FILE|DIR",
    multiple=True,
    help="Omit content of this image, archive, layout or digest list.",
)
@click.option("-q", "--quiet", is_flag=True, help="Suppress the progress output.")
@progress_option
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    output: str | None,
    formats: tuple[str, ...],
    compress: str | None,
    platforms: tuple[str, ...],
    without: tuple[str, ...],
    quiet: bool,
) -> None:
    """Save local images to a tar archive (streamed to stdout by default).

    The archive is an OCI image layout with docker's list of images, so `docker load`, podman and
    skopeo read it and digests are kept. --format docker writes docker's older format, and
    --format oci-dir writes a directory. A name without a tag saves all of its tags. --without omits
    content that the receiving side already has; `ghcrctl load` finds it there.
    """
    kind, format_ = split_format_option(formats, [each.value for each in Format])
    form, compression = Format(kind or Format.OCI), Compression(compress) if compress else None
    results = Results(app, format_)
    is_file = output not in {None, "-"}
    check_save_options(form, is_file=is_file, compression=compression, without=without)
    require_output_file(results, output)
    if is_file:
        check_not_read(Path(str(output)), map(Path, without))
    with (
        app.session() as session,
        show_transfers(app.display, quiet=quiet) as watch,
        _opened(app, output, form, quiet=quiet) as sink,
    ):
        saved = save(
            session,
            names,
            sink,
            form=form,
            compression=compression,
            select=Selection.of(platforms, everything=not platforms),
            without=without,
            observer=watch(ignore, ""),
        )
    for image in saved:
        results.add({**_document(image), "Output": output})
    results.end()


def _document(image: SavedImage) -> dict[str, object]:
    root = image.root
    return {"Name": image.name or None, "Digest": str(root.digest), "MediaType": root.media_type}


@contextmanager
def _opened(
    app: App, output: str | None, form: Format, *, quiet: bool
) -> Iterator[Path | Callable[[bytes], object]]:
    if form is Format.OCI_DIR:
        yield Path(str(output))
        return
    with open_binary_output(output) as write:
        if form is not Format.DOCKER:
            yield write
            return
        # This format has uncompressed layers, so the transfer engine cannot count its bytes.
        with count_writes(app, write, "archive", quiet=quiet) as take:
            yield take
