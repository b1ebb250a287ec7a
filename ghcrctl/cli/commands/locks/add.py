"""``ghcrctl lock add``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import (
    changed,
    file_option,
    platforms_shown,
    report_failures,
    status_of,
)
from ghcrctl.cli.options import format_option, pass_app, platforms_option, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.lock import add

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App

_WORDS = {
    "added": "pinned",
    "moved": "updated",
    "changed": "updated",
    "unchanged": "already pinned",
}


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock add OWNER/IMAGE:1.0 docker.io/postgres:16
    ghcrctl lock add --platform linux/amd64 --platform linux/arm64 docker.io/alpine:3.20
    ghcrctl lock add OWNER/IMAGE:1.0@sha256:82d1e9d7...
    ghcrctl lock add --file deploy/images.lock OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME[:TAG][@DIGEST]...", nargs=-1, required=True)
@platforms_option("Pin only this platform (repeatable).")
@file_option
@format_option
@registry_options
@pass_app
def command(
    app: App,
    *,
    names: tuple[str, ...],
    platforms: tuple[str, ...],
    file: Path,
    format_: str | None,
) -> None:
    """Pin names to their current digests at their registries.

    A name that is already pinned keeps its digest; use `update` to change it. NAME:TAG@DIGEST pins
    that digest, wherever the tag points. Nothing is pulled. If a name fails, the others are still
    added.
    """
    results = Results(app, format_)
    only = Selection.of(platforms).platforms
    with app.session() as session:
        references = [session.parse(name) for name in names]
        changes = add(session, file, references, only=only)
    for change in changes:
        if change.after:
            results.add(changed(change, change.after))
            shown = platforms_shown(change.after)
            word = _WORDS[status_of(change)]
            digest = change.after.digest.short
            results.out(f"{change.name}: {word}: {digest}" + (f" ({shown})" if shown else ""))
    results.end()
    report_failures(app, changes)
