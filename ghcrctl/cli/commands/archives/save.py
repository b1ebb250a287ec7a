"""``ghcrctl save``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.binary_output import bytes_to, require_file
from ghcrctl.cli.byte_progress import count_writes
from ghcrctl.cli.format.format_option import told_apart
from ghcrctl.cli.options import Command, pass_app, progress_option
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import watching
from ghcrctl.cli.results import Results
from ghcrctl.layers.compression import Compression
from ghcrctl.operations.archives.save import Format, check_form, save
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.store.output_files import check_not_read
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.operations.archives.save import SavedImage


@click.command(
    cls=Command,
    short_help="Save images to an archive",
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
    help="Where it goes, in place of stdout.",
)
@click.option(
    "--format",
    "formats",
    metavar="oci|docker|oci-dir|FORMAT",
    multiple=True,
    help="An archive that every program reads, which is the default, docker's old one, or a "
    "directory; also json or a Go template, for what is printed.",
)
@click.option(
    "--compress",
    type=click.Choice([Compression.GZIP.value, Compression.ZSTD.value]),
    help="Pack the archive as a whole; layers are packed already.",
)
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Platform to save; given several times, a smaller index of these. Without it, all.",
)
@click.option(
    "--without",
    metavar="NAME|FILE|DIR",
    multiple=True,
    help="Omit content of this image, archive, layout or digest list.",
)
@click.option("-q", "--quiet", is_flag=True, help="Draw no bars.")
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
    """Save local images to an archive, which `docker load`, podman and skopeo read, too.

    It is an OCI image layout, so digests are kept, with docker's list beside it. A name without a
    tag stands for all of its tags. With --without it has only what the other side lacks; `ghcrctl
    load` there finds the rest.
    """
    kind, format_ = told_apart(formats, [each.value for each in Format])
    form, compression = Format(kind or Format.OCI), Compression(compress) if compress else None
    results = Results(app, format_)
    is_file = output not in {None, "-"}
    check_form(form, is_file=is_file, compression=compression, without=without)
    require_file(results, output)
    if is_file:
        check_not_read(Path(str(output)), map(Path, without))
    with (
        app.session() as session,
        watching(app.display, quiet=quiet) as watch,
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
    with bytes_to(output) as write:
        if form is not Format.DOCKER:
            yield write
            return
        # Its layers are unpacked as they go, which no engine does.
        with count_writes(app, write, "archive", quiet=quiet) as take:
            yield take
