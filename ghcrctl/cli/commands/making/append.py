"""``ghcrctl append``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.commands.making.flatten import naming_options
from ghcrctl.cli.commands.making.mutate import mutation_options, run
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.cli.app import App


# What no name has, but paths have; drives and backslashes are those of Windows.
_PATH = re.compile(r"[./~]|[A-Za-z]:[/\\]|[^\\]*\\")


@click.command(
    cls=Command,
    short_help="Make an image of another one and further files",
    examples="""
    ghcrctl append --base docker.io/alpine:3.20 OWNER/tool:1.0 rootfs/
    ghcrctl append --base OWNER/IMAGE:1.0 -c 'CMD ["/app"]' OWNER/IMAGE:1.1 app.tar conf.tar.gz
    ghcrctl append --base OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.1 rootfs/
    """,
)
@click.argument("layers", metavar="[NEW] DIR|ARCHIVE...", nargs=-1, required=True)
@click.option("--base", metavar="IMAGE", required=True, help="The image below.")
@mutation_options
@naming_options
@registry_options
@pass_app
def command(
    app: App,
    /,
    *,
    layers: tuple[str, ...],
    base: str,
    target: str | None,
    replace: bool,
    **options: Any,
) -> None:
    """Append directories or tar archives to an image as new layers.

    NEW, or --tag, names the new image. It is pushed to its registry, or stored in the local store
    if its name is local or --local is given. Without a name, it is pushed to the base's repository
    by digest and no tag moves; --replace moves the base's tag.

    The same files always produce the same layers: names are sorted, owners are 0, and no time is
    later than SOURCE_DATE_EPOCH if that is set.
    """
    if not (target or replace) and _begins_with_name(layers):
        target, layers = layers[0], layers[1:]
    run(app, base, target, [Path(layer) for layer in layers], replace=replace, **options)


def _begins_with_name(arguments: Sequence[str]) -> bool:
    """Return whether the first argument names the new image, and is not a layer.

    Raises:
        UsageError: it is a directory, and might be meant either way.
    """
    first = arguments[0]
    if len(arguments) == 1 or Path(first).is_file() or _PATH.match(first):
        return False
    if Path(first).is_dir() and not {":", "/"} & set(first):
        raise UsageError(
            f"`{first}` is a directory: expected the name of the new image before the layers",
            hint=f"name the image with --tag NAME, or write the name as {first}:TAG",
        )
    return True
