"""``ghcrctl packages versions``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.counting import Counting
from ghcrctl.cli.format.human import ago, human_size
from ghcrctl.cli.format.listing import Listing
from ghcrctl.cli.format.plans import tags_shown
from ghcrctl.cli.format.version_tree import draw
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.errors import UsageError
from ghcrctl.operations.packages.listing import version_rows
from ghcrctl.operations.packages.naming import read_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.listing import VersionRow

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
}
_COLUMNS = ("ID", "Digest", "Tags", "Kind", "CreatedSince", "UpdatedSince", "Size")
_DELETED_COLUMNS = ("ID", "Digest", "Tags", "Kind", "CreatedSince", "DeletedSince")


@click.command(
    cls=Command,
    short_help="List all versions of a package, also the untagged",
    examples="""
    ghcrctl packages versions OWNER/IMAGE
    ghcrctl packages versions --tree OWNER/IMAGE
    ghcrctl packages versions --state deleted OWNER/IMAGE
    ghcrctl packages versions --format '{{.ID}} {{.Kind}} {{.Tags}}' OWNER/IMAGE
    """,
)
@click.argument("name", metavar="OWNER/IMAGE")
@click.option("--tree", is_flag=True, help="Draw images with what hangs on each.")
@click.option(
    "--state",
    type=click.Choice(["active", "deleted"]),
    default="active",
    show_default=True,
    help="Those that are there, or those that were deleted and can be restored.",
)
@click.option("--no-trunc", is_flag=True, help="Show digests in full.")
@click.option("--format", "format_", metavar="FORMAT", help="table, json, or a Go template.")
@click.option("-q", "--quiet", is_flag=True, help="Print numbers only.")
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
    """List all versions of a package, the newest first, with what each of them is.

    Kinds: image, index (of several images), platform (an image in an index), attestation,
    signature, SBOM, referrers (a list of what refers to an image), cache (a builder's), artifact
    (anything else). An orphan belongs to what is not there any more.
    """
    if tree and (format_ or quiet):
        raise UsageError("--tree is for people; without it there are --format and --quiet")
    counting = Counting(quiet=quiet)
    is_deleted = state == "deleted"
    with app.session() as session:
        named = read_package(session, name)
        graph, rows = version_rows(session, named, deleted=is_deleted, progress=counting)
    counting.clear()
    if tree:
        app.write(draw(graph, rows, full=no_trunc, width=None if no_trunc else app.width))
        return
    now = datetime.now(timezone.utc)
    columns = _DELETED_COLUMNS if is_deleted else _COLUMNS
    listing = Listing(HEADERS, columns, noun="version")
    fields = [_fields(row, now, full=no_trunc or bool(format_)) for row in rows]
    app.write(listing.render(fields, format=format_, quiet_field="ID" if quiet else None))


def _fields(row: VersionRow, now: datetime, *, full: bool) -> Mapping[str, object]:
    version = row.version
    digest = version.digest
    words = ["orphan"] * row.is_orphan + ["broken"] * row.is_broken + [row.kind]
    return {
        "Broken": row.is_broken,
        "CreatedAt": f"{version.created:%Y-%m-%d %H:%M:%S +0000 UTC}",
        "CreatedSince": ago(version.created, now),
        "DeletedAt": f"{version.deleted:%Y-%m-%d %H:%M:%S +0000 UTC}" if version.deleted else "",
        "DeletedSince": ago(version.deleted, now) if version.deleted else "",
        "Digest": digest if full else digest.partition(":")[2][:12],
        "ID": version.id,
        "Kind": row.kind if full else " ".join(words),
        "NeededBy": ", ".join(row.above),
        "Orphan": row.is_orphan,
        "Platforms": ", ".join(row.platforms),
        "Size": human_size(row.size),
        "Tags": ", ".join(version.tags) if full else tags_shown(version.tags),
        "UpdatedAt": f"{version.updated:%Y-%m-%d %H:%M:%S +0000 UTC}",
        "UpdatedSince": ago(version.updated, now),
    }
