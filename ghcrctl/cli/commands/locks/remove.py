"""``ghcrctl lock remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.locks.pins import document, file_option
from ghcrctl.cli.options import Command, format_option, pass_app
from ghcrctl.cli.results import Results
from ghcrctl.operations.locks.lock import remove

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Take pins out of the file",
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
    """Take pins out of the file; images that were pulled stay.

    A name without a tag means all tags of its repository that are pinned.
    """
    results = Results(app, format_)
    with app.session() as session:
        gone = remove(file, [session.parse(name) for name in names])
    for pin in gone:
        results.add(document(pin))
        results.out(f"{pin.name}: not pinned any more")
    results.end()
