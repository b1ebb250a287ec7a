"""``ghcrctl packages show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.size_bars import Bar, Bars, legend
from ghcrctl.cli.format.size_bars import draw as draw_bar
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table import render_rows
from ghcrctl.cli.format.version_tree import draw
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.options import format_option_beside, human_option, pass_app, registry_options
from ghcrctl.operations.packages.list import describe, version_rows_of
from ghcrctl.operations.packages.package_names import read_package

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.operations.packages.list import PackageView, TagRow

_LEGEND = (
    (Meaning.SHARED, "shared by images"),
    (Meaning.UNIQUE, "unique to one image"),
    (Meaning.FREE, "not used by tagged images"),
)
_MIN_BAR_CELLS, _MAX_BAR_CELLS, _INDENT_CELLS = 10, 64, 12
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
    examples="""
    ghcrctl packages show OWNER/IMAGE
    ghcrctl packages show --tree OWNER/IMAGE
    ghcrctl packages show OWNER/IMAGE --format json | jq .Loose
    """,
)
@click.argument("name", metavar="OWNER/IMAGE")
@click.option("--tree", is_flag=True, help="Show all versions as a tree.")
@human_option
@format_option_beside("text")
@registry_options
@pass_app
def command(app: App, *, name: str, tree: bool, format_: str | None) -> None:
    """Show the tags, sizes and settings of a package.

    SIZE is the size of everything an image needs, and UNIQUE the part that no other tagged image
    needs. Totals count shared layers once. GitHub itself reports no sizes.
    """
    documents = Documents(format_)
    counting = ItemCounter(app)
    with app.session() as session:
        view = describe(session, read_package(session, name), counting)
    counting.clear()
    if documents:
        app.write(documents.one(_document(view)))
        return
    style, measure = app.style, app.measure
    for fact, value in _facts(view, measure).items():
        link = value if value.startswith("https:") else ""
        shown = style.paint(printable(value), None, link)
        title = style.paint(f"{fact}:", Meaning.HEADER)
        app.write(f"{title}{' ' * (_INDENT_CELLS - 1 - len(fact))}{shown}\n")
        if fact == "Loose":
            app.write(_size_bar(view, style))
    if tree:
        app.write("\n" + draw(view.graph, version_rows_of(view.graph), style, measure, full=False))
    elif view.tagged:
        rows = [_cells(row, measure) for row in view.tagged]
        bars = Bars([_bar(row) for row in view.tagged], _LEGEND[:2])
        app.write("\n" + render_rows(rows, _COLUMNS, headers=True, style=style, bars=bars))


def _size_bar(view: PackageView, style: Style) -> str:
    """Return a bar of the total size, on a terminal."""
    if style.width is None or not view.size:
        return ""
    own = view.size - view.shared - view.loose
    bar = Bar(((Meaning.SHARED, view.shared), (Meaning.UNIQUE, own), (Meaning.FREE, view.loose)))
    cells = min(_MAX_BAR_CELLS, style.width - _INDENT_CELLS)
    if cells < _MIN_BAR_CELLS:
        return ""
    lines = (draw_bar(bar, view.size, cells, style), legend(_LEGEND, style))
    return "".join(f"{' ' * _INDENT_CELLS}{line}\n" for line in lines)


def _bar(row: TagRow) -> Bar:
    return Bar(((Meaning.SHARED, row.size - row.unique), (Meaning.UNIQUE, row.unique)))


def _facts(view: PackageView, measure: Measure) -> dict[str, str]:
    package = view.package
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(view.counts.items()))
    return {
        "Package": package.full_name,
        "Visibility": package.visibility,
        "Repository": package.repository or "not linked",
        "Versions": f"{sum(view.counts.values())}{f' ({kinds})' if kinds else ''}",
        "Size": measure.size(view.size),
        "Shared": f"{measure.size(view.shared)}, used by several tagged images",
        "Loose": f"{measure.size(view.loose)}, not used by tagged images",
        "Page": view.page,
        "Settings": view.settings,
    }


def _cells(row: TagRow, measure: Measure) -> dict[str, object]:
    return {
        "tags": ", ".join(row.tags),
        "kind": row.kind,
        "platforms": ", ".join(row.platforms) or "-",
        "attached": row.attached,
        "created": measure.since(row.version.created),
        "size": measure.size(row.size),
        "unique": measure.size(row.unique),
    }


def _document(view: PackageView) -> dict[str, Any]:
    package = view.package
    return {
        "Package": package.full_name,
        "Visibility": package.visibility,
        "Repository": package.repository or None,
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
