"""``ghcrctl images``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.units import exact_fields
from ghcrctl.cli.options import human_option, list_format_option, pass_app
from ghcrctl.errors import UsageError
from ghcrctl.operations.images.list import SORT_KEYS, list_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.image_row import ImageRow

NONE = "<none>"
# Docker prints Go's zero time for an image without a time.
NO_TIME = "0001-01-01 00:00:00 +0000 UTC"
# Docker's field names and table headers.
HEADERS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "Containers": "CONTAINERS",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "VirtualSize": "SIZE",
    "Type": "TYPE",
    "Bytes": "BYTES",
    "Created": "CREATED",
}
_COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
_WITH_DIGEST = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")


@click.command(
    cls=Command,
    examples="""
    ghcrctl images
    ghcrctl images --digests ghcr.io/OWNER/IMAGE
    ghcrctl images --filter reference='owner/*' --sort size
    ghcrctl images --format '{{.Repository}}:{{.Tag}} {{.Digest}}'
    ghcrctl images --format json
    ghcrctl images --tree
    """,
)
@click.argument("name", metavar="[NAME[:TAG]]", required=False)
@click.option("--digests", is_flag=True, help="Show digests.")
@click.option("-q", "--quiet", is_flag=True, help="Only show image IDs.")
@click.option("--no-trunc", is_flag=True, help="Don't truncate output.")
@click.option("-a", "--all", "_all", is_flag=True, help="Show all images (the default).")
@click.option(
    "-f",
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Filter output, for example by dangling or label.",
)
@list_format_option
@human_option
@click.option("--tree", is_flag=True, help="List multi-platform images as a tree.")
@click.option(
    "--sort",
    type=click.Choice(SORT_KEYS),
    default="created",
    show_default=True,
    help="Sort by this field.",
)
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str | None,
    digests: bool,
    quiet: bool,
    no_trunc: bool,
    _all: bool,
    filters: tuple[str, ...],
    format_: str | None,
    tree: bool,
    sort: str,
) -> None:
    """List local images.

    Sizes are those of the stored, compressed layers. Filters are dangling, label, before, since,
    until and reference.
    """
    measure = app.measure
    listing = Listing(
        HEADERS,
        measure.columns(_WITH_DIGEST if digests else _COLUMNS),
        noun="image",
        placeholders={"CreatedSince": "N/A"},
    )
    with app.session() as session:
        rows = list_images(session, name=name, filters=filters, sort=sort)
        if tree:
            app.write(_tree(app, session, rows, format_, quiet=quiet, full=no_trunc))
            return
    if quiet and format_ in {None, "", "table"}:
        # As in docker, another format takes precedence over --quiet and shows every name.
        rows = list({row.image_id: row for row in rows}.values())
    shown = [fields(row, measure, full=no_trunc) for row in rows]
    style = app.style.uncut(wanted=no_trunc)
    quiet_field = "ID" if quiet else None
    app.write(listing.render(shown, format=format_, quiet_field=quiet_field, style=style))


def fields(row: ImageRow, measure: Measure, *, full: bool) -> Mapping[str, object]:
    """Return the fields of a row under docker's names."""
    size = measure.size(row.size)
    return {
        "Containers": "N/A",
        "CreatedAt": measure.at(row.created, missing=NO_TIME if measure.is_human else "N/A"),
        "CreatedSince": measure.since(row.created, missing=""),
        "Digest": str(row.digest) if row.digest else NONE,
        "ID": str(row.image_id) if full else row.image_id.short,
        "Repository": row.repository or NONE,
        "SharedSize": "N/A",
        "Size": size,
        "Tag": row.tag or NONE,
        "Type": row.kind or "image",
        "UniqueSize": "N/A",
        "VirtualSize": size,
        **exact_fields(row.size, row.created),
    }


def _tree(
    app: App,
    session: Session,
    rows: Sequence[ImageRow],
    format_: str | None,
    *,
    quiet: bool,
    full: bool,
) -> str:
    from ghcrctl.cli.format.image_trees import as_json, as_text
    from ghcrctl.operations.images.tree import image_trees

    if quiet or format_ not in {None, "", "table", "json"}:
        raise UsageError("--tree only supports --format table or json")
    trees = image_trees(session, rows)
    if format_ == "json":
        return as_json(trees)
    return as_text(trees, app.style.uncut(wanted=full), app.measure, full=full)
