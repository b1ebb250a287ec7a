"""``ghcrctl save``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.bytes_out import bytes_to
from ghcrctl.cli.options import Command, pass_app
from ghcrctl.cli.progress import watching
from ghcrctl.errors import UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.save import (
    Format,
    digests_of,
    save_archive,
    save_directory,
    save_docker,
)
from ghcrctl.operations.selection import Selection
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Observer


@click.command(
    cls=Command,
    short_help="Save images to an archive",
    examples="""
    ghcrctl save -o image.tar OWNER/IMAGE:1.0
    ghcrctl save OWNER/IMAGE:1.0 | ssh host docker load
    ghcrctl save --compress zstd -o images.tar.zst OWNER/IMAGE:1.0 OWNER/OTHER:2.0
    ghcrctl save --without OWNER/IMAGE:1.0 -o update.tar OWNER/IMAGE:1.1
    ghcrctl save --format oci-dir -o directory OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME|ID...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE|DIR|-", help="Where it goes, in place of stdout.")
@click.option(
    "--format",
    "kind",
    type=click.Choice([kind.value for kind in Format]),
    default=Format.OCI.value,
    show_default=True,
    help="An archive that every program reads, docker's old one, or a directory.",
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
    metavar="NAME|FILE",
    multiple=True,
    help="Leave out what this local image has, or the digests that stand in a file.",
)
@click.option("-q", "--quiet", is_flag=True, help="Draw no bars.")
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    output: str | None,
    kind: str,
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
    chosen = tuple(Platform.parse(text) for text in platforms)
    select = Selection(chosen, everything=not chosen)
    form = Format(kind)
    _check(form, output, compress, without)
    with app.session() as session:
        if form is Format.OCI_DIR:
            with watching(app, quiet=quiet) as watch:
                save_directory(
                    session, names, Path(str(output)), select=select, observer=watch(ignore)
                )
            return
        with watching(app, quiet=quiet) as watch, _packed(output, compress) as write:
            _save(session, names, write, form, select, without, watch(ignore))


def _check(form: Format, output: str | None, compress: str | None, without: object) -> None:
    if form is Format.OCI_DIR and output in {None, "-"}:
        raise UsageError("--format oci-dir needs a directory", hint="name one with -o DIR")
    if form is Format.OCI_DIR and compress:
        raise UsageError("--compress packs archives, and --format oci-dir makes none")
    if form is not Format.OCI and without:
        raise UsageError(f"--without is not for --format {form.value}: nothing could load it")


def _save(  # noqa: PLR0913, PLR0917 one argument an option
    session: Session,
    names: tuple[str, ...],
    write: Callable[[bytes], object],
    form: Format,
    select: Selection,
    without: tuple[str, ...],
    observer: Observer,
) -> None:
    if form is Format.DOCKER:
        save_docker(session, names, write, select=select)
        return
    there = frozenset().union(*(digests_of(session, text) for text in without))
    save_archive(session, names, write, select=select, without=there, observer=observer)


@contextmanager
def _packed(output: str | None, compress: str | None) -> Iterator[Callable[[bytes], object]]:
    with bytes_to(output) as write:
        if compress is None:
            yield write
            return
        from ghcrctl.layers.packing import make_packer

        with make_packer(Compression(compress), write) as packer:
            yield packer.write
