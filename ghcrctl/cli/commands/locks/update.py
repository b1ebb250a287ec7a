"""``ghcrctl lock update``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import changed, file_option, report_failures, status_of
from ghcrctl.cli.options import dry_run_option, format_option, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.locks.lock import update

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.locks.lock import PinChange
    from ghcrctl.operations.locks.lock_file import Pin


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock update
    ghcrctl lock update --dry-run
    ghcrctl lock update OWNER/IMAGE docker.io/postgres:16
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@dry_run_option("Show what would change, without writing the file.", "-n")
@file_option
@format_option
@registry_options
@pass_app
def command(
    app: App, *, names: tuple[str, ...], dry_run: bool, file: Path, format_: str | None
) -> None:
    """Update pins to the current digests of their tags. Without names, all pins are updated.

    A name without a tag updates all pinned tags of its repository. If a name fails, its pin is kept
    and the others are still updated.
    """
    results = Results(app, format_)
    with app.session() as session:
        references = [session.parse(name) for name in names]
        changes = update(session, file, references, dry_run=dry_run)
    for change in changes:
        if change.before and change.after:
            results.add({**changed(change, change.after), "DryRun": dry_run})
            results.out(f"{change.name}: {_shown(change, change.before, change.after)}")
    results.end()
    report_failures(app, changes)


def _shown(change: PinChange, before: Pin, after: Pin) -> str:
    if not change.has_moved:
        return status_of(change)
    return f"{before.digest.short} -> {after.digest.short}{_platforms(before, after)}"


def _platforms(before: Pin, after: Pin) -> str:
    """Return the added, removed and unchanged platforms as text."""
    old = {one.platform.with_features: one.digest for one in before.platforms}
    new = {one.platform.with_features: one.digest for one in after.platforms}
    parts = [
        *(f"{p} added" for p in new if p not in old),
        *(f"{p} removed" for p in old if p not in new),
        *(f"{p} unchanged" for p in new if new[p] == old.get(p)),
    ]
    return f" ({', '.join(parts)})" if parts else ""
