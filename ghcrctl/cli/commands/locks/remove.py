"""``ghcrctl lock remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import document, file_option
from ghcrctl.cli.options import format_option, pass_app
from ghcrctl.cli.results import Results
from ghcrctl.operations.locks.lock import remove

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock remove docker.io/postgres:16
    ghcrctl lock remove OWNER/IMAGE
    """,
)
@click.argument("names", metavar="NAME[:TAG]...", nargs=-1, required=True)
@file_option
@format_option
@pass_app
def command(app: App, *, names: tuple[str, ...], file: Path, format_: str | None) -> None:
    """Remove pins from the lock file, without deleting local images.

    A name without a tag removes all pinned tags of its repository.
    """
    results = Results(app, format_)
    with app.session() as session:
        removed = remove(file, [session.parse(name) for name in names])
    for pin in removed:
        results.add(document(pin))
        results.out(f"{pin.name}: no longer pinned")
    results.end()
