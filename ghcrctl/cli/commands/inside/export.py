"""``ghcrctl export``, and options of the commands that read the files of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.binary_output import open_binary_output, require_output_file
from ghcrctl.cli.byte_progress import byte_counter, count_writes
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app, platform_option, registry_options
from ghcrctl.cli.path_types import PATH, PATH_OR_DASH
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.inside.export import export_archive, export_directory
from ghcrctl.operations.inside.image_layers import ImageSelector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.cli.app import App

    Function = TypeVar("Function", bound=Callable[..., Any])


def remote_option(function: Function) -> Function:
    """Add ``--remote``."""
    return click.option("--remote", is_flag=True, help="Read from the registry, without pulling.")(
        function
    )


def wanted_image(name: str, platform: str | None, *, remote: bool) -> ImageSelector:
    """Return the selector of an image."""
    return ImageSelector(name, Platform.parse(platform) if platform else None, is_remote=remote)


@click.command(
    cls=Command,
    examples="""
    ghcrctl export -o rootfs.tar OWNER/IMAGE:1.0
    ghcrctl export --to rootfs OWNER/IMAGE:1.0
    ghcrctl export --remote OWNER/IMAGE:1.0 | tar -t
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    type=PATH_OR_DASH,
    help="Write to a file, instead of stdout.",
)
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=PATH,
    help="Extract into this empty or new directory.",
)
@remote_option
@platform_option
@format_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    output: str | None,
    folder: Path | None,
    remote: bool,
    platform: str | None,
    format_: str | None,
) -> None:
    """Export an image's filesystem as a tar archive or into a directory.

    In a directory, only root can set owners and create devices, and set-ID bits are only set if the
    owner is correct. A warning lists what was skipped.
    """
    if folder and output:
        raise UsageError("--to and --output are mutually exclusive")
    results = Results(app, format_)
    require_output_file(results, str(folder) if folder else output)
    wanted = wanted_image(name, platform, remote=remote)
    with app.session() as session, byte_counter(app, "layers") as progress:
        if folder:
            export_directory(session, wanted, folder, progress)
        else:
            with open_binary_output(output) as write, count_writes(app, write, "archive") as take:
                export_archive(session, wanted, take, progress)
    results.add({"Name": name, "Output": str(folder or output)})
    results.end(single=True)
