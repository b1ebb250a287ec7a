"""``ghcrctl append``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.commands.flatten import place_options
from ghcrctl.cli.commands.mutate import mutation_options, run
from ghcrctl.cli.options import Command, pass_app, registry_options

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Make an image of another one and further files",
    examples="""
    ghcrctl append --base docker.io/alpine:3.20 OWNER/tool:1.0 rootfs/
    ghcrctl append --base OWNER/IMAGE:1.0 -c 'CMD ["/app"]' OWNER/IMAGE:1.1 app.tar conf.tar.gz
    """,
)
@click.argument("target", metavar="NEW")
@click.argument(
    "layers",
    metavar="DIR|ARCHIVE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.option("--base", metavar="IMAGE", required=True, help="The image below.")
@mutation_options
@place_options
@registry_options
@pass_app
def command(
    app: App, /, *, target: str, layers: tuple[Path, ...], base: str, **options: Any
) -> None:
    """Make an image of another one with further layers: directories, or tar archives.

    The same files make the same layers: names are sorted, owners are 0, and no time is later than
    SOURCE_DATE_EPOCH where it is set. The new image goes to its registry straight away, or into the
    local store where its name is local or --local is given.
    """
    run(app, base, target, layers, **options)
