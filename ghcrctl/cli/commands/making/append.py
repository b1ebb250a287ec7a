"""``ghcrctl append``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.flatten import naming_options
from ghcrctl.cli.commands.making.mutate import mutation_options, run
from ghcrctl.cli.options import pass_app, registry_options
from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.cli.app import App


# Prefixes that paths have and image names cannot have, including Windows drives.
_PATH = re.compile(r"[./~]|[A-Za-z]:[/\\]|[^\\]*\\")


@click.command(
    cls=Command,
    examples="""
    ghcrctl append --base docker.io/alpine:3.20 OWNER/tool:1.0 rootfs/
    ghcrctl append --base OWNER/IMAGE:1.0 -c 'CMD ["/app"]' OWNER/IMAGE:1.1 app.tar conf.tar.gz
    ghcrctl append --base OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.1 rootfs/
    """,
)
@click.argument("layers", metavar="[NEW] DIR|ARCHIVE...", nargs=-1, required=True)
@click.option("--base", metavar="IMAGE", required=True, help="Append to this image.")
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
    if the name is local or --local is given. Without a name, the image is pushed by digest to the
    repository of the base image, and no tag changes. --replace moves the tag of the base image.

    The same files always produce the same layers: names are sorted, owners are 0, and times are
    clamped to SOURCE_DATE_EPOCH if it is set.
    """
    if not (target or replace) and _begins_with_name(layers):
        target, layers = layers[0], layers[1:]
    run(app, base, target, [Path(layer) for layer in layers], replace=replace, **options)


def _begins_with_name(arguments: Sequence[str]) -> bool:
    """Return whether the first argument is the name of the new image, not a layer.

    Raises:
        UsageError: the argument could be a name or a directory.
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
