"""``ghcrctl packages versions``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.plans import tags_shown
from ghcrctl.cli.format.style import Marked, Meaning
from ghcrctl.cli.format.units import exact_fields, rfc3339
from ghcrctl.cli.format.version_tree import draw
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.options import human_option, list_format_option, pass_app, registry_options
from ghcrctl.errors import UsageError
from ghcrctl.operations.packages.list import version_rows
from ghcrctl.operations.packages.package_names import read_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.packages.list import VersionRow

HEADERS = {
    "ID": "ID",
    "Digest": "DIGEST",
    "Tags": "TAGS",
    "Kind": "KIND",
    "Platforms": "PLATFORMS",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "UpdatedSince": "UPDATED",
    "UpdatedAt": "UPDATED AT",
    "DeletedSince": "DELETED",
    "DeletedAt": "DELETED AT",
    "Size": "SIZE",
    "Orphan": "ORPHAN",
    "Broken": "BROKEN",
    "NeededBy": "NEEDED BY",
    "Bytes": "BYTES",
    "Created": "CREATED",
    "Updated": "UPDATED",
    "Deleted": "DELETED",
}
_COLUMNS = ("ID", "Digest", "Tags", "Kind", "CreatedSince", "UpdatedSince", "Size")
_DELETED_COLUMNS = ("ID", "Digest", "Tags", "Kind", "CreatedSince", "DeletedSince")


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages versions OWNER/IMAGE
    ghcrctl packages versions --tree OWNER/IMAGE
    ghcrctl packages versions --state deleted OWNER/IMAGE
    ghcrctl packages versions --format '{{.ID}} {{.Kind}} {{.Tags}}' OWNER/IMAGE
    """,
)
@click.argument("name", metavar="OWNER/IMAGE")
@click.option("--tree", is_flag=True, help="Show versions as a tree.")
@click.option(
    "--state",
    type=click.Choice(["active", "deleted"]),
    default="active",
    show_default=True,
    help="List active versions, or deleted ones to restore.",
)
@human_option
@click.option("--no-trunc", is_flag=True, help="Don't truncate output.")
@list_format_option
@click.option("-q", "--quiet", is_flag=True, help="Only print version IDs.")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    tree: bool,
    state: str,
    no_trunc: bool,
    format_: str | None,
    quiet: bool,
) -> None:
    """List all versions of a package with their kinds, newest first.

    Kinds are image, index (of multiple images), platform (an image in an index), attestation,
    signature, SBOM, referrers (the list of an image's referrers), cache (of a builder) and artifact
    (everything else). An orphan belongs to a deleted version.
    """
    if tree and (format_ or quiet):
        raise UsageError("--tree cannot be combined with --format or --quiet")
    measure, style = app.measure, app.style.uncut(wanted=no_trunc)
    counting = ItemCounter(app, quiet=quiet)
    is_deleted = state == "deleted"
    with app.session() as session:
        named = read_package(session, name)
        graph, rows = version_rows(session, named, deleted=is_deleted, progress=counting)
    counting.clear()
    if tree:
        app.write(draw(graph, rows, style, measure, full=no_trunc))
        return
    columns = measure.columns(_DELETED_COLUMNS if is_deleted else _COLUMNS)
    listing = Listing(HEADERS, columns, noun="version", empty_is_null=True)
    fields = [_fields(row, measure, full=no_trunc or bool(format_)) for row in rows]
    quiet_field = "ID" if quiet else None
    app.write(listing.render(fields, format=format_, quiet_field=quiet_field, style=style))


def _fields(row: VersionRow, measure: Measure, *, full: bool) -> Mapping[str, object]:
    version = row.version
    digest = version.digest
    words = ["orphan"] * row.is_orphan + ["broken"] * row.is_broken + [row.kind]
    return {
        "Broken": row.is_broken,
        "CreatedAt": measure.at(version.created),
        "CreatedSince": measure.since(version.created),
        "DeletedAt": measure.at(version.deleted, missing=""),
        "DeletedSince": measure.since(version.deleted, missing=""),
        "Digest": digest if full else digest.partition(":")[2][:12],
        "ID": version.id,
        "Kind": row.kind
        if full
        else Marked(" ".join(words), Meaning.WARN if len(words) > 1 else None),
        "NeededBy": ", ".join(row.above),
        "Orphan": row.is_orphan,
        "Platforms": ", ".join(row.platforms),
        "Size": measure.size(row.size),
        "Tags": ", ".join(version.tags) if full else tags_shown(version.tags),
        "UpdatedAt": measure.at(version.updated),
        "UpdatedSince": measure.since(version.updated),
        "Updated": rfc3339(version.updated),
        "Deleted": rfc3339(version.deleted),
        **exact_fields(row.size, version.created),
    }
