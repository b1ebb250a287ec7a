"""``ghcrctl tags``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.units import exact_fields
from ghcrctl.cli.options import human_option, list_format_option, pass_app, registry_options
from ghcrctl.operations.registries.tags import SORT_KEYS, list_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.registries.tags import TagRow

NONE = "<none>"
HEADERS = {
    "Tag": "TAG",
    "Digest": "DIGEST",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "Platforms": "PLATFORMS",
    "Type": "TYPE",
    "Bytes": "BYTES",
    "Created": "CREATED",
}
_COLUMNS = ("Tag", "Digest", "CreatedSince", "Size", "Platforms")


@click.command(
    cls=Command,
    examples="""
    ghcrctl tags OWNER/IMAGE
    ghcrctl tags --filter version='>=1.2 <2' OWNER/IMAGE
    ghcrctl tags --long --sort created docker.io/alpine
    ghcrctl tags --format '{{.Tag}} {{.Digest}}' OWNER/IMAGE
    """,
)
@click.argument("name", metavar="NAME")
@click.option(
    "-l", "--long", "details", is_flag=True, help="Show digests, dates, sizes and platforms."
)
@click.option(
    "-a", "--all", "helpers", is_flag=True, help="Also list tags that only hold signatures."
)
@click.option(
    "-f",
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Filter output by name=GLOB or version=RANGE.",
)
@list_format_option
@human_option
@click.option("--no-trunc", is_flag=True, help="Don't truncate output.")
@click.option(
    "--sort",
    type=click.Choice(SORT_KEYS),
    default="version",
    show_default=True,
    help="Sort by this field.",
)
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    details: bool,
    helpers: bool,
    filters: tuple[str, ...],
    format_: str | None,
    no_trunc: bool,
    sort: str,
) -> None:
    """List the tags of a repository: versions, newest first, then other tags by name.

    Sizes are compressed and for this machine's platform.
    """
    details = details or bool(format_)
    with app.session() as session:
        rows = list_tags(
            session,
            session.parse(name),
            filters=filters,
            sort=sort,
            helpers=helpers,
            details=details,
        )
    for row in rows:
        if row.error:
            app.warn(f"cannot read tag {row.tag}: {row.error}")
    if not details:
        app.write("".join(f"{printable(row.tag)}\n" for row in rows))
        return
    measure = app.measure
    shown = [_fields(row, measure, full=no_trunc or bool(format_)) for row in rows]
    listing = Listing(HEADERS, measure.columns(_COLUMNS), noun="tag", empty_is_null=True)
    app.write(listing.render(shown, format=format_, style=app.style.uncut(wanted=no_trunc)))


def _fields(row: TagRow, measure: Measure, *, full: bool) -> Mapping[str, object]:
    digest = row.digest and (str(row.digest) if full else row.digest.short)
    return {
        "CreatedAt": measure.at(row.created),
        "CreatedSince": measure.since(row.created),
        "Digest": digest or NONE,
        "Platforms": ", ".join(map(str, row.platforms)),
        "Size": measure.size(row.size) if row.digest else "N/A",
        "Tag": row.tag,
        "Type": row.kind or "image",
        **exact_fields(row.size if row.digest else None, row.created),
    }
