"""``ghcrctl packages show``."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.counting import Counting
from ghcrctl.cli.format.human import ago, human_size
from ghcrctl.cli.format.table import render_rows
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.operations.packages.listing import describe
from ghcrctl.operations.packages.naming import read_package

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.listing import PackageView, TagRow

_COLUMNS = (
    ("tags", "TAGS"),
    ("kind", "KIND"),
    ("platforms", "PLATFORMS"),
    ("attached", "ATTACHED"),
    ("created", "CREATED"),
    ("size", "SIZE"),
    ("unique", "UNIQUE"),
)


@click.command(
    cls=Command,
    short_help="Describe a package: its tags, and what they weigh",
    examples="""
    ghcrctl packages show OWNER/IMAGE
    ghcrctl packages show OWNER/IMAGE --format json | jq .Loose
    """,
)
@click.argument("name", metavar="OWNER/IMAGE")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@registry_options
@pass_app
def command(app: App, *, name: str, format_: str) -> None:
    """Describe a package.

    Sizes are of what is stored: each layer once, however many images need it. SIZE is all that an
    image needs, UNIQUE what no other image with a tag needs. GitHub itself tells no sizes.
    """
    counting = Counting()
    with app.session() as session:
        view = describe(session, read_package(session, name), counting)
    counting.clear()
    if format_ == "json":
        app.write(json.dumps(_json(view), indent=2) + "\n")
        return
    for line in _lines(view):
        app.out(line)
    if view.tagged:
        app.out("")
        now = datetime.now(timezone.utc)
        rows = (_cells(row, now) for row in view.tagged)
        app.write(render_rows(rows, _COLUMNS, headers=True, width=app.width))


def _lines(view: PackageView) -> list[str]:
    package = view.package
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(view.counts.items()))
    facts = {
        "Package": package.full_name,
        "Visibility": package.visibility,
        "Repository": package.repository or "none is linked",
        "Versions": f"{sum(view.counts.values())}{f' ({kinds})' if kinds else ''}",
        "Size": human_size(view.size),
        "Shared": f"{human_size(view.shared)}, needed by several images with a tag",
        "Loose": f"{human_size(view.loose)}, needed by no image with a tag",
        "Page": view.page,
        "Settings": view.settings,
    }
    return [f"{name + ':':<12}{value}" for name, value in facts.items()]


def _cells(row: TagRow, now: datetime) -> dict[str, object]:
    return {
        "tags": ", ".join(row.tags),
        "kind": row.kind,
        "platforms": ", ".join(row.platforms) or "-",
        "attached": row.attached,
        "created": ago(row.version.created, now),
        "size": human_size(row.size),
        "unique": human_size(row.unique),
    }


def _json(view: PackageView) -> dict[str, Any]:
    package = view.package
    return {
        "Package": package.full_name,
        "Visibility": package.visibility,
        "Repository": package.repository,
        "CreatedAt": package.created.isoformat(),
        "UpdatedAt": package.updated.isoformat(),
        "Kinds": dict(sorted(view.counts.items())),
        "Size": view.size,
        "Shared": view.shared,
        "Loose": view.loose,
        "Page": view.page,
        "Settings": view.settings,
        "Images": [
            {
                "ID": row.version.id,
                "Digest": row.version.digest,
                "Tags": list(row.tags),
                "Kind": row.kind,
                "Platforms": list(row.platforms),
                "Attached": row.attached,
                "CreatedAt": row.version.created.isoformat(),
                "UpdatedAt": row.version.updated.isoformat(),
                "Size": row.size,
                "Unique": row.unique,
            }
            for row in view.tagged
        ],
    }
