"""``ghcrctl prune``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import Command, format_option, pass_app
from ghcrctl.cli.prompts import confirm
from ghcrctl.cli.results import Results
from ghcrctl.errors import RefusedError
from ghcrctl.operations.store.prune import prune, read_filters, read_size

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.store.prune import Pruned


@click.command(
    cls=Command,
    short_help="Remove local images that are not wanted any more",
    examples="""
    ghcrctl prune
    ghcrctl prune --force --all --filter until=168h
    ghcrctl prune --keep-last 3 --dry-run
    ghcrctl prune --force --max-size 20GB
    """,
)
@click.option("-a", "--all", "everything", is_flag=True, help="Images with a tag too.")
@click.option(
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only what fits: until=SPAN|DATE, label=KEY[=VALUE], label!=KEY[=VALUE].",
)
@click.option(
    "--keep-last",
    metavar="N",
    type=click.IntRange(min=0),
    help="Of each repository, tagged images but the newest N too.",
)
@click.option(
    "--max-size", metavar="SIZE", help="The oldest images too, until the store has this size."
)
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be removed.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what is deleted, no more.")
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

    Options remove more, filters remove less. Signatures and other referrers are kept as long as the
    image they refer to, and deleted with it.
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
            if not _agreed(app, planned):
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


def _agreed(app: App, planned: Pruned) -> bool:
    """Show what would go and ask; where nothing would, there is nothing to ask."""
    if not app.can_ask:
        raise RefusedError(
            app.unasked("there is no terminal to ask at"),
            hint="--force removes, --dry-run only shows",
        )
    if not (planned.untagged or planned.deleted or planned.partial):
        return True
    for name in planned.untagged:
        app.error_line(f"  {name}")
    what = f"{len(planned.untagged)} images, {human_size(planned.freed)} in all"
    return confirm(f"This removes {what}. Continue?")


def _report(results: Results, done: Pruned, *, dry_run: bool) -> None:
    for name in done.untagged:
        results.out(f"Would untag: {name}" if dry_run else f"Untagged: {name}")
    for digest in done.deleted:
        results.out(f"Would delete: {digest}" if dry_run else f"Deleted: {digest}")
    if done.partial:
        results.out(
            f"{'Would remove' if dry_run else 'Removed'}: {done.partial} unfinished transfers"
        )
    results.out("")
    total = "Would reclaim" if dry_run else "Total reclaimed space"
    results.out(f"{total}: {human_size(done.freed)}")
