"""``ghcrctl packages list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.style import Marked
from ghcrctl.cli.format.units import rfc3339
from ghcrctl.cli.options import human_option, list_format_option, pass_app, registry_options
from ghcrctl.operations.packages.list import SORT_KEYS, list_packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
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
    "Created": "CREATED",
    "Updated": "UPDATED",
}
_COLUMNS = ("Name", "Visibility", "Versions", "UpdatedSince", "Repository")


@click.command(
    cls=Command,
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
    help="Filter output by name, visibility, repository or linked.",
)
@click.option(
    "--sort",
    type=click.Choice(SORT_KEYS),
    default="name",
    show_default=True,
    help="Sort by this field.",
)
@list_format_option
@human_option
@click.option("-q", "--quiet", is_flag=True, help="Only print names.")
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
    """List the container packages of OWNER, an organization or a user. Defaults to you.

    Filters are name=GLOB, visibility=public|private|internal, repository=GLOB and
    linked=true|false.
    """
    with app.session() as session:
        found = list_packages(session, owner, filters, sort)
    measure = app.measure
    columns = measure.columns(_COLUMNS)
    listing = Listing(
        HEADERS, columns, noun="package", empty_is_null=True, placeholders={"Repository": "-"}
    )
    rows = [_fields(package, measure) for package in found]
    quiet_field = "Name" if quiet else None
    app.write(listing.render(rows, format=format_, quiet_field=quiet_field, style=app.style))


def _fields(package: Package, measure: Measure) -> Mapping[str, object]:
    return {
        "Created": rfc3339(package.created),
        "CreatedAt": measure.at(package.created),
        "Name": Marked(package.full_name, link=package.page),
        "Owner": package.owner,
        "Repository": package.repository,
        "URL": package.page,
        "Updated": rfc3339(package.updated),
        "UpdatedAt": measure.at(package.updated),
        "UpdatedSince": measure.since(package.updated),
        "Versions": package.version_count,
        "Visibility": package.visibility,
    }
