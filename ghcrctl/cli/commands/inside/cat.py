"""``ghcrctl cat``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.byte_progress import byte_counter
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.inside.export import remote_option, wanted_image
from ghcrctl.cli.options import format_option, pass_app, platform_option, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.inside.files import read_file

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl cat OWNER/IMAGE:1.0 /etc/os-release
    ghcrctl cat --remote OWNER/IMAGE:1.0 /app/config.json | jq .
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.argument("path", metavar="PATH")
@remote_option
@platform_option
@format_option
@registry_options
@pass_app
def command(
    app: App, *, name: str, path: str, remote: bool, platform: str | None, format_: str | None
) -> None:
    """Print a file from an image.

    Layers are read from the top down until one has the file. Only verified content is printed.
    """
    results = Results(app, format_)
    wanted = wanted_image(name, platform, remote=remote)
    content = bytearray()

    def write(data: bytes) -> None:
        # Bars would mix with the printed file.
        app.display.hide_count()
        app.write_bytes(data)

    with app.session() as session, byte_counter(app, "layers") as progress:
        take = content.extend if results.are_documents else write
        read_file(session, wanted, path, take, progress)
    if results.are_documents:
        results.add({"Name": name, "Path": path, "Size": len(content), **_as_text(bytes(content))})
        results.end(single=True)


def _as_text(content: bytes) -> dict[str, str]:
    try:
        return {"Encoding": "utf-8", "Content": content.decode()}
    except UnicodeDecodeError:
        return {"Encoding": "base64", "Content": base64.b64encode(content).decode()}
