"""``ghcrctl packages list``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.human import ago
from ghcrctl.cli.format.listing import Listing
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.operations.packages.listing import SORT_KEYS, list_packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.github.records import Package

HEADERS = {
    "Name": "NAME",
    "Owner": "OWNER",
    "Visibility": "VISIBILITY",
    "Versions": "VERSIONS",
    "UpdatedSince": "UPDATED",
    "UpdatedAt": "UPDATED AT",
    "CreatedAt": "CREATED AT",
    "Repository": "REPOSITORY",
    "URL": "URL",
}
_COLUMNS = ("Name", "Visibility", "Versions", "UpdatedSince", "Repository")


@click.command(
    cls=Command,
    short_help="List the packages of an owner",
    examples="""
    ghcrctl packages list
    ghcrctl packages list OWNER --filter visibility=public --sort updated
    ghcrctl packages list OWNER --filter linked=false
    ghcrctl packages list OWNER --format '{{.Name}} {{.Repository}}'
    """,
)
@click.argument("owner", required=False)
@click.option(
    "-f",
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only what fits: name=GLOB, visibility=WORD, repository=GLOB, linked=true|false.",
)
@click.option(
    "--sort", type=click.Choice(SORT_KEYS), default="name", show_default=True, help="Order."
)
@click.option("--format", "format_", metavar="FORMAT", help="table, json, or a Go template.")
@click.option("-q", "--quiet", is_flag=True, help="Print names only.")
@registry_options
@pass_app
def command(
    app: App,
    *,
    owner: str | None,
    filters: tuple[str, ...],
    sort: str,
    format_: str | None,
    quiet: bool,
) -> None:
    """List the container packages of OWNER, an organisation or a user; without it, yours."""
    with app.session() as session:
        found = list_packages(session, owner, filters, sort)
    now = datetime.now(timezone.utc)
    listing = Listing(HEADERS, _COLUMNS, noun="package", placeholders={"Repository": "-"})
    rows = [_fields(package, now) for package in found]
    app.write(listing.render(rows, format=format_, quiet_field="Name" if quiet else None))


def _fields(package: Package, now: datetime) -> Mapping[str, object]:
    return {
        "CreatedAt": f"{package.created:%Y-%m-%d %H:%M:%S +0000 UTC}",
        "Name": package.full_name,
        "Owner": package.owner,
        "Repository": package.repository,
        "URL": package.page,
        "UpdatedAt": f"{package.updated:%Y-%m-%d %H:%M:%S +0000 UTC}",
        "UpdatedSince": ago(package.updated, now),
        "Versions": package.version_count,
        "Visibility": package.visibility,
    }
