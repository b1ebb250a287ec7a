"""``ghcrctl lock add``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.locks.pins import (
    changed,
    file_option,
    platforms_shown,
    report_failures,
    status_of,
)
from ghcrctl.cli.options import Command, format_option, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.lock import add

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App

_WORDS = {
    "added": "pinned",
    "moved": "pinned anew",
    "changed": "pinned anew",
    "unchanged": "is pinned already",
}


@click.command(
    cls=Command,
    short_help="Pin names to what they stand for",
    examples="""
    ghcrctl lock add OWNER/IMAGE:1.0 docker.io/postgres:16
    ghcrctl lock add --platform linux/amd64 --platform linux/arm64 docker.io/alpine:3.20
    ghcrctl lock add OWNER/IMAGE:1.0@sha256:82d1e9d7...
    ghcrctl lock add --file deploy/images.lock OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME[:TAG][@DIGEST]...", nargs=-1, required=True)
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Platform that the project uses; all that the image has, without.",
)
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
    """Pin names to what they stand for at their registries now.

    A name that is pinned already stays at its digest; `update` moves it. With a digest behind the
    tag, that one is pinned, whatever the tag stands for. Nothing is pulled. A name that fails does
    not keep the others out of the file.
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
