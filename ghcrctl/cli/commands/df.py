"""``ghcrctl df``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.images import HEADERS, fields
from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.listing import Listing
from ghcrctl.cli.options import Command, pass_app
from ghcrctl.operations.images import list_images
from ghcrctl.store.usage import measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.operations.images import ImageRow
    from ghcrctl.store.usage import Usage

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
        rows = list_images(session)
        usage = measure(session.store)
    if verbose:
        listing = Listing(HEADERS, _VERBOSE, noun="image", placeholders={"CreatedSince": "N/A"})
        now = datetime.now(timezone.utc)
        app.write(listing.render([_row(row, usage, now) for row in rows], format=format_))
        return
    listing = Listing(_HEADERS, tuple(_HEADERS), noun="row")
    app.write(listing.render(_summary(rows, usage), format=format_))


def _row(row: ImageRow, usage: Usage, now: datetime) -> Mapping[str, object]:
    found = usage.images[row.record.descriptor.digest]
    sizes = {"SharedSize": human_size(found.shared), "UniqueSize": human_size(found.unique)}
    return {**fields(row, now, full=False), **sizes}


def _summary(rows: list[ImageRow], usage: Usage) -> list[Mapping[str, object]]:
    tagged = {row.record.descriptor.digest for row in rows if row.tag}
    unused = sum(own.unique for digest, own in usage.images.items() if digest not in tagged)
    loose, partial = sum(usage.loose.values()), sum(usage.partial)
    return [
        _line("Images", len(usage.images), len(tagged), usage.content, unused),
        _line("Unfinished transfers", len(usage.partial), 0, partial, partial),
        _line("Content of no image", len(usage.loose), 0, loose, loose),
    ]


def _line(kind: str, total: int, active: int, size: int, free: int) -> Mapping[str, object]:
    share = f" ({100 * free // size}%)" if size else ""
    return {
        "Type": kind,
        "TotalCount": str(total),
        "Active": str(active),
        "Size": human_size(size),
        "Reclaimable": f"{human_size(free)}{share}",
    }
