"""``ghcrctl cat``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.export import remote_option, wanted_image
from ghcrctl.cli.options import Command, pass_app, platform_option, registry_options
from ghcrctl.operations.files import read_file

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Print a file of an image",
    examples="""
    ghcrctl cat OWNER/IMAGE:1.0 /etc/os-release
    ghcrctl cat --remote OWNER/IMAGE:1.0 /app/config.json | jq .
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.argument("path", metavar="PATH")
@remote_option
@platform_option
@registry_options
@pass_app
def command(app: App, *, name: str, path: str, remote: bool, platform: str | None) -> None:
    """Print a file of an image, byte for byte.

    Layers are read from the top down, until one has the file; nothing is printed that was not
    verified.
    """
    wanted = wanted_image(name, platform, remote=remote)
    with app.session() as session:
        read_file(session, wanted, path, sys.stdout.buffer.write)
