"""``ghcrctl prune``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import dry_run_option, format_option, pass_app, quiet_option
from ghcrctl.cli.prompts import confirm
from ghcrctl.cli.results import Results
from ghcrctl.errors import RefusedError
from ghcrctl.operations.store.prune import prune, read_filters, read_size

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.store.prune import Pruned


@click.command(
    cls=Command,
    examples="""
    ghcrctl prune
    ghcrctl prune --force --all --filter until=168h
    ghcrctl prune --keep-last 3 --dry-run
    ghcrctl prune --force --max-size 20GB
    """,
)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Remove all images, not just dangling ones."
)
@click.option(
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only remove images matching until=SPAN, label=KEY, ...",
)
@click.option(
    "--keep-last",
    metavar="N",
    type=click.IntRange(min=0),
    help="Also remove all but N tagged images per repository.",
)
@click.option(
    "--max-size", metavar="SIZE", help="Also remove the oldest images to reach this store size."
)
@dry_run_option("Show what would be removed, without removing.", "-n")
@click.option("-f", "--force", is_flag=True, help="Do not prompt for confirmation.")
@quiet_option("deleted digests")
@format_option
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    everything: bool,
    filters: tuple[str, ...],
    keep_last: int | None,
    max_size: str | None,
    dry_run: bool,
    force: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Remove untagged images, unused content and unfinished transfers.

    Options remove more images. Filters (until=SPAN|DATE, label=KEY[=VALUE], label!=KEY[=VALUE])
    remove fewer. Signatures and other referrers are removed with the image they refer to.
    """
    results = Results(app, format_)
    rules = replace(
        read_filters(filters, datetime.now(timezone.utc)),
        everything=everything,
        keep_last=keep_last,
        max_size=read_size(max_size) if max_size else None,
    )
    with app.session() as session:
        if not (dry_run or force):
            planned = prune(session, rules, dry_run=True)
            if not _confirm(app, planned):
                return
        done = prune(session, rules, dry_run=dry_run)
    if quiet:
        for digest in done.deleted:
            results.out(str(digest))
    else:
        _report(results, done, dry_run=dry_run)
    results.add(
        {
            "Untagged": done.untagged,
            "Deleted": [str(digest) for digest in done.deleted],
            "UnfinishedTransfers": done.partial,
            "Freed": done.freed,
            "DryRun": dry_run,
        }
    )
    results.end(single=True)


def _confirm(app: App, planned: Pruned) -> bool:
    """Show what would be removed and ask for confirmation, unless there is nothing to remove."""
    if not app.can_prompt:
        raise RefusedError(
            app.no_prompt_reason("cannot ask for confirmation: standard input is not a terminal"),
            hint="use --force to remove without confirmation, or --dry-run to preview",
        )
    if not (planned.untagged or planned.deleted or planned.partial):
        return True
    for name in planned.untagged:
        app.error_line(f"  {name}")
    images = quantity(len(planned.untagged), "image")
    return confirm(
        f"This will remove {images} ({human_size(planned.freed)} in total). Continue?",
        app.error_style,
    )


def _report(results: Results, done: Pruned, *, dry_run: bool) -> None:
    for name in done.untagged:
        results.out(f"Would untag: {name}" if dry_run else f"Untagged: {name}")
    for digest in done.deleted:
        results.out(f"Would delete: {digest}" if dry_run else f"Deleted: {digest}")
    if done.partial:
        transfers = quantity(done.partial, "unfinished transfer")
        results.out(f"{'Would remove' if dry_run else 'Removed'}: {transfers}")
    results.out("")
    total = "Would reclaim" if dry_run else "Total reclaimed space"
    results.out(f"{total}: {human_size(done.freed)}")
