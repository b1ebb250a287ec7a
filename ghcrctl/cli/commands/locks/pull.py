"""``ghcrctl lock pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import file_option, pins_of
from ghcrctl.cli.commands.moving.pull import document, report
from ghcrctl.cli.options import (
    all_platforms_options,
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.ordered_output import run_in_parallel
from ghcrctl.cli.progress.transfer_lines import PULL_WORDS, LineObserver
from ghcrctl.cli.results import Results
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.pull import pull_pin

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.cli.ordered_output import Out
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.operations.locks.lock_file import Pin
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.transfer.workers import Workers


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock pull
    ghcrctl lock pull OWNER/IMAGE
    ghcrctl lock pull --platform linux/arm64
    ghcrctl lock pull --all-platforms
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@all_platforms_options("pull")
@file_option
@output_options("the names of pulled images")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    platforms: tuple[str, ...],
    all_platforms: bool,
    quiet: bool,
    file: Path,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Pull pinned images into the local store, under their pinned names.

    Images are pulled by digest, so it does not matter where their tags point now. Complete local
    images take no request. By default, the image for this machine's platform is pulled. Pulling a
    platform that is not pinned is an error.
    """
    results = Results(app, format_, digest_file)
    silent = quiet or results.are_documents
    select = Selection.of(platforms, everything=all_platforms)
    with app.session() as session:
        pins = pins_of(app, session, file, names)

        def pull_one(pin: Pin, out: Out, watch: Watch, workers: Workers) -> PullResult:
            lines = LineObserver(out, app.warn, PULL_WORDS, _header(pin), quiet=silent)
            seen = watch(lines, str(pin.name))
            return pull_pin(session, pin, select=select, observer=seen, workers=workers)

        def show(result: PullResult) -> None:
            results.add(document(result, dry_run=False))
            report(app, results, result, quiet=quiet)

        try:
            run_in_parallel(
                app, session, pins, pull_one, show, results=results, title=_title, quiet=quiet
            )
        finally:
            results.end()


def _title(pin: Pin) -> str:
    return f"Pulling {pin.name}"


def _header(pin: Pin) -> str:
    return f"{pin.digest}: Pulling from {pin.name.repository}"
