"""``ghcrctl inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.docker_types import IMAGE
from ghcrctl.cli.format.inspect_format import Inspection
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import human_option, pass_app, platform_option, registry_options
from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.images.inspect import inspect_local, inspect_remote
from ghcrctl.operations.images.platforms import platform_rows

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.values import Struct


@click.command(
    cls=Command,
    examples="""
    ghcrctl inspect ghcr.io/OWNER/IMAGE:1.0
    ghcrctl inspect --format '{{index .RepoDigests 0}}' OWNER/IMAGE
    ghcrctl inspect --remote --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl inspect --remote --platforms OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="NAME|ID|DIGEST...", nargs=-1, required=True)
@click.option(
    "-f", "--format", "format_", metavar="FORMAT", help="Output format: json or a Go template."
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["image"]),
    help="Only inspect objects of this type.",
)
@click.option("--remote", is_flag=True, help="Inspect images in their registry, without pulling.")
@click.option(
    "--platforms",
    is_flag=True,
    help="List platforms with their total and missing sizes.",
)
@platform_option
@human_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    format_: str | None,
    kind: str | None,  # noqa: ARG001 there is only one type
    remote: bool,
    platforms: bool,
    platform: str | None,
) -> None:
    """Show details of images as a JSON array, like docker.

    Sizes are compressed, as stored and transferred. --platforms prints a table, or with
    --format json one object per platform. Sizes in JSON and templates are in bytes.
    """
    if platforms:
        _show_platforms(app, names, format_, remote=remote)
        return
    inspection = Inspection(format_)
    wanted = Platform.parse(platform) if platform else None
    documents: list[Struct] = []
    failed: GhcrctlError | None = None
    with app.session() as session:
        for name in names:
            try:
                document = (
                    inspect_remote(session, session.parse(name), wanted)
                    if remote
                    else inspect_local(session, name, wanted)
                )
            except GhcrctlError as error:
                failed = failed or error
                app.report(error)
            else:
                documents.append(as_struct(document))
    app.write(inspection.render(documents) if documents or not format_ else "")
    if failed:
        raise click.exceptions.Exit(failed.exit_status)


def as_struct(document: dict[str, Any]) -> Struct:
    """Return a document with all fields of docker's type, for templates."""
    return IMAGE.value(document, VirtualSize=document["Size"])


_HEADERS = {
    "Platform": "PLATFORM",
    "Digest": "DIGEST",
    "Size": "SIZE",
    "Here": "HERE",
    "ToPull": "MISSING",
    "Layers": "LAYERS",
    "Name": "NAME",
    "MediaType": "MEDIA TYPE",
}
_COLUMNS = ("Platform", "Digest", "Size", "Here", "ToPull", "Layers")


def _show_platforms(app: App, names: tuple[str, ...], format_: str | None, *, remote: bool) -> None:
    listing = Listing(_HEADERS, _COLUMNS, noun="platform", empty_is_null=True)
    chosen = (format_ or "table").strip()
    is_human = chosen.startswith("table") and app.measure.is_human
    rows: list[dict[str, object]] = []
    with app.session() as session:
        for name in names:
            for row in platform_rows(session, name, is_remote=remote):
                sizes = {"Size": row.size, "Here": row.here, "ToPull": row.to_pull}
                rows.append(
                    {
                        "Name": name,
                        "Platform": row.platform,
                        "Digest": str(row.descriptor.digest),
                        "MediaType": row.descriptor.media_type,
                        "Layers": row.layers,
                        **{k: human_size(v) if is_human else v for k, v in sizes.items()},
                    }
                )
    app.write(listing.render(rows, format=format_, style=app.style))
