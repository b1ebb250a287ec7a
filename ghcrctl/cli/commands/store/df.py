"""``ghcrctl df``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.images.images import HEADERS, fields
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.size_bars import Bar, Bars
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.options import human_option, list_format_option, pass_app
from ghcrctl.operations.store.df import disk_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.images.image_row import ImageRow
    from ghcrctl.operations.store.df import DiskUsage, UsageLine

_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
    "Bytes": "BYTES",
    "ReclaimableBytes": "RECLAIMABLE BYTES",
}
_COLUMNS = ("Type", "TotalCount", "Active", "Size", "Reclaimable")
_IMAGE_HEADERS = {
    **HEADERS,
    "SharedBytes": "SHARED BYTES",
    "UniqueBytes": "UNIQUE BYTES",
}
_LEGEND = (
    (Meaning.SHARED, "shared by images"),
    (Meaning.UNIQUE, "unique to one image"),
    (Meaning.FREE, "reclaimable"),
)
_VERBOSE = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize")


@click.command(
    cls=Command,
    examples="""
    ghcrctl df
    ghcrctl df -v
    ghcrctl df --format '{{.Type}}: {{.Size}}'
    """,
)
@click.option("-v", "--verbose", is_flag=True, help="Show detailed information on space usage.")
@list_format_option
@human_option
@pass_app
def command(app: App, *, verbose: bool, format_: str | None) -> None:
    """Show disk usage of local images, and how much `ghcrctl prune` can reclaim.

    An image is active if it has a tag. Shared layers are counted once.
    """
    measure = app.measure
    with app.session() as session:
        usage = disk_usage(session)
    if verbose:
        columns = measure.columns(_VERBOSE)
        listing = Listing(
            _IMAGE_HEADERS,
            columns,
            noun="image",
            placeholders={"CreatedSince": "N/A"},
        )
        shown = [_row(row, usage, measure) for row in usage.images]
        bars = Bars([_image_bar(row, usage) for row in usage.images], _LEGEND[:2])
    else:
        listing = Listing(_HEADERS, _COLUMNS, noun="row")
        shown = [_line(line, measure) for line in usage.lines]
        bars = Bars([_line_bar(line) for line in usage.lines], _LEGEND)
    app.write(listing.render(shown, format=format_, style=app.style, bars=bars))


def _row(row: ImageRow, usage: DiskUsage, measure: Measure) -> Mapping[str, object]:
    found = usage.of(row)
    sizes = {"SharedSize": measure.size(found.shared), "UniqueSize": measure.size(found.unique)}
    exact = {"SharedBytes": found.shared, "UniqueBytes": found.unique}
    return {**fields(row, measure, full=False), **sizes, **exact}


def _image_bar(row: ImageRow, usage: DiskUsage) -> Bar:
    found = usage.of(row)
    return Bar(((Meaning.SHARED, found.shared), (Meaning.UNIQUE, found.unique)))


def _line(line: UsageLine, measure: Measure) -> Mapping[str, object]:
    share = f" ({100 * line.reclaimable // line.size}%)" if line.size else ""
    return {
        "Type": line.kind,
        "TotalCount": str(line.total),
        "Active": str(line.active),
        "Size": measure.size(line.size),
        "Reclaimable": f"{measure.size(line.reclaimable)}{share}",
        "Bytes": line.size,
        "ReclaimableBytes": line.reclaimable,
    }


def _line_bar(line: UsageLine) -> Bar:
    own = line.size - line.shared - line.reclaimable
    return Bar(
        (
            (Meaning.SHARED, line.shared),
            (Meaning.UNIQUE, own),
            (Meaning.FREE, line.reclaimable),
        )
    )
