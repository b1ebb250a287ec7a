"""``ghcrctl history``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.inside.export import remote_option, wanted_image
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.size_bars import Bar, Bars
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.units import exact, exact_fields
from ghcrctl.cli.options import (
    human_option,
    list_format_option,
    pass_app,
    platform_option,
    registry_options,
)
from ghcrctl.operations.inside.history import history

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.inside.history import HistoryRow

_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
    "Bytes": "BYTES",
    "Created": "CREATED",
}
_COLUMNS = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
_WIDTH = 45
_NO_TIME = "0001-01-01T00:00:00Z"
# Reproducible builds set times to 1970, so they do not show a step's age.
_FIRST_REAL_TIME = datetime(2000, 1, 1, tzinfo=timezone.utc)


@click.command(
    cls=Command,
    examples="""
    ghcrctl history OWNER/IMAGE:1.0
    ghcrctl history --remote --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl history --no-trunc --format '{{.CreatedBy}}' OWNER/IMAGE
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.option("--no-trunc", is_flag=True, help="Don't truncate output.")
@click.option("-q", "--quiet", is_flag=True, help="Only show image IDs.")
@human_option
@list_format_option
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
    format_: str | None,
    remote: bool,
    platform: str | None,
) -> None:
    """Show the history of an image, newest step first.

    Sizes are those of the stored, compressed layers.
    """
    measure, style = app.measure, app.style.uncut(wanted=no_trunc)
    listing = Listing(_HEADERS, measure.columns(_COLUMNS), noun="history", empty_is_null=True)
    with app.session() as session:
        rows = history(session, wanted_image(name, platform, remote=remote))
    # Tables on a terminal are truncated to its width instead.
    cuts = not no_trunc and (style.width is None or format_ is not None)
    shown = [_fields(row, measure, style.glyphs.ellipsis, full=no_trunc, cuts=cuts) for row in rows]
    bars = Bars([Bar(((Meaning.SHARED, row.size),)) for row in rows])
    quiet_field = "ID" if quiet else None
    app.write(
        listing.render(shown, format=format_, quiet_field=quiet_field, style=style, bars=bars)
    )


def _since(created: datetime | None, measure: Measure) -> str:
    """Return the age of a step; like docker, treat times before 2000 as unknown."""
    if not measure.is_human:
        return exact(created, missing=_NO_TIME)
    return measure.since(created if created and created > _FIRST_REAL_TIME else None)


def _fields(
    row: HistoryRow, measure: Measure, ellipsis: str, *, full: bool, cuts: bool
) -> Mapping[str, object]:
    by = row.created_by.replace("\t", " ")
    image_id = row.image_id
    return {
        "ID": "<missing>" if image_id is None else str(image_id) if full else image_id.short,
        "CreatedSince": _since(row.created, measure),
        "CreatedAt": exact(row.created, missing=_NO_TIME),
        "CreatedBy": by
        if not cuts or len(by) <= _WIDTH
        else f"{by[: _WIDTH - len(ellipsis)]}{ellipsis}",
        "Size": measure.size(row.size),
        "Comment": row.comment,
        **exact_fields(row.size, row.created),
    }
