"""``ghcrctl df``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.images import HEADERS, fields
from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.listing import Listing
from ghcrctl.cli.options import Command, pass_app
from ghcrctl.operations.df import disk_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.operations.df import DiskUsage, UsageLine
    from ghcrctl.operations.images import ImageRow

_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
_VERBOSE = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize")


@click.command(
    cls=Command,
    short_help="Show what the local store takes",
    examples="""
    ghcrctl df
    ghcrctl df -v
    ghcrctl df --format '{{.Type}}: {{.Size}}'
    """,
)
@click.option("-v", "--verbose", is_flag=True, help="Show each image, shared and unique sizes.")
@click.option("--format", "format_", metavar="FORMAT", help="table, json, or a Go template.")
@pass_app
def command(app: App, *, verbose: bool, format_: str | None) -> None:
    """Show how much room images take, and how much `ghcrctl prune` would free.

    An image is active if it has a tag. Layers that images share count once.
    """
    with app.session() as session:
        usage = disk_usage(session)
    if verbose:
        listing = Listing(HEADERS, _VERBOSE, noun="image", placeholders={"CreatedSince": "N/A"})
        now = datetime.now(timezone.utc)
        app.write(listing.render([_row(row, usage, now) for row in usage.images], format=format_))
        return
    listing = Listing(_HEADERS, tuple(_HEADERS), noun="row")
    app.write(listing.render(map(_line, usage.lines), format=format_))


def _row(row: ImageRow, usage: DiskUsage, now: datetime) -> Mapping[str, object]:
    found = usage.of(row)
    sizes = {"SharedSize": human_size(found.shared), "UniqueSize": human_size(found.unique)}
    return {**fields(row, now, full=False), **sizes}


def _line(line: UsageLine) -> Mapping[str, object]:
    share = f" ({100 * line.reclaimable // line.size}%)" if line.size else ""
    return {
        "Type": line.kind,
        "TotalCount": str(line.total),
        "Active": str(line.active),
        "Size": human_size(line.size),
        "Reclaimable": f"{human_size(line.reclaimable)}{share}",
    }
