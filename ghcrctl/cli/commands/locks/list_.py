"""``ghcrctl lock list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import document, file_option, pins_of
from ghcrctl.cli.format.table import render_rows
from ghcrctl.cli.options import format_option, pass_app, quiet_option
from ghcrctl.cli.results import Results

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.locks.lock_file import Pin

_COLUMNS = (("Name", "NAME"), ("Digest", "DIGEST"), ("Platforms", "PLATFORMS"))


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock list
    ghcrctl lock list -q | xargs -n 1 ghcrctl inspect --remote
    ghcrctl lock list --format '{{.Name}} {{.Digest}}'
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@quiet_option("NAME@DIGEST")
@file_option
@format_option
@pass_app
def command(
    app: App, *, names: tuple[str, ...], quiet: bool, file: Path, format_: str | None
) -> None:
    """List pinned images, without contacting a registry."""
    results = Results(app, format_)
    with app.session() as session:
        pins = pins_of(app, session, file, names)
    for pin in pins:
        results.add(document(pin))
        if quiet:
            results.out(str(pin.reference))
    results.end()
    if not quiet and not results.are_documents:
        app.write(render_rows(map(_row, pins), _COLUMNS, headers=True, style=app.style))


def _row(pin: Pin) -> dict[str, object]:
    return {
        "Name": str(pin.name),
        "Digest": pin.digest.short,
        "Platforms": ", ".join(dict.fromkeys(one.platform.with_features for one in pin.platforms)),
    }
