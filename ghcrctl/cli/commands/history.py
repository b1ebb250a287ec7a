"""``ghcrctl history``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.export import remote_option, wanted_image
from ghcrctl.cli.format.human import ago, human_size
from ghcrctl.cli.format.listing import Listing
from ghcrctl.cli.options import Command, pass_app, platform_option, registry_options
from ghcrctl.operations.history import history

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.operations.history import HistoryRow

_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}
_COLUMNS = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
_EXACT = ("ID", "CreatedAt", "CreatedBy", "Size", "Comment")
_WIDTH = 45


@click.command(
    cls=Command,
    short_help="Show how an image came to be",
    examples="""
    ghcrctl history OWNER/IMAGE:1.0
    ghcrctl history --remote --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl history --no-trunc --format '{{.CreatedBy}}' OWNER/IMAGE
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.option("--no-trunc", is_flag=True, help="Show everything in full.")
@click.option("-q", "--quiet", is_flag=True, help="Show IDs only.")
@click.option(
    "-H",
    "--human/--no-human",
    default=True,
    show_default=True,
    help="Sizes and times for people, or exact.",
)
@click.option("--format", "format_", metavar="FORMAT", help="table, json, or a Go template.")
@remote_option
@platform_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    no_trunc: bool,
    quiet: bool,
    human: bool,
    format_: str | None,
    remote: bool,
    platform: str | None,
) -> None:
    """Show the steps by which an image was made, newest first.

    Sizes are of the layers as they are stored, compressed.
    """
    listing = Listing(_HEADERS, _COLUMNS if human else _EXACT, noun="history")
    now = datetime.now(timezone.utc)
    with app.session() as session:
        rows = history(session, wanted_image(name, platform, remote=remote))
    shown = [_fields(row, now, full=no_trunc, human=human) for row in rows]
    app.write(listing.render(shown, format=format_, quiet_field="ID" if quiet else None))


def _fields(row: HistoryRow, now: datetime, *, full: bool, human: bool) -> Mapping[str, object]:
    by = row.created_by.replace("\t", " ")
    image_id = row.image_id
    exact = f"{row.created:%Y-%m-%dT%H:%M:%SZ}" if row.created else "N/A"
    return {
        "ID": "<missing>" if image_id is None else str(image_id) if full else image_id.short,
        "CreatedSince": ago(row.created, now) if human else exact,
        "CreatedAt": exact,
        "CreatedBy": by if full or len(by) <= _WIDTH else f"{by[: _WIDTH - 1]}…",
        "Size": human_size(row.size) if human else str(row.size),
        "Comment": row.comment,
    }
