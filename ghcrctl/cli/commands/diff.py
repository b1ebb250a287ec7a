"""``ghcrctl diff``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.commands.export import remote_option, wanted_image
from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.safe import printable
from ghcrctl.cli.format.values import Struct
from ghcrctl.cli.options import Command, pass_app, platform_option, registry_options
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.diff import diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.layers.comparing import FileChange
    from ghcrctl.layers.members import Member
    from ghcrctl.operations.diff import Change, Difference, LayerChange

_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


@click.command(
    cls=Command,
    short_help="Compare two images",
    examples="""
    ghcrctl diff OWNER/IMAGE:1.0 OWNER/IMAGE:1.1
    ghcrctl diff --files --remote OWNER/IMAGE:1.0 OWNER/IMAGE:1.1
    ghcrctl diff --exit-code --remote-b OWNER/IMAGE:1.0 OWNER/IMAGE:1.0
    """,
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--files", is_flag=True, help="Compare files too; layers are read for it.")
@click.option(
    "--exit-code",
    is_flag=True,
    help=f"Leave with status {ExitStatus.DIFFERENT.value} where they differ, else 0.",
)
@click.option("--format", "format_", type=click.Choice(["json"]), help="For scripts.")
@remote_option
@click.option("--remote-a", is_flag=True, help="Read only A from the registry.")
@click.option("--remote-b", is_flag=True, help="Read only B from the registry.")
@platform_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    before: str,
    after: str,
    files: bool,
    exit_code: bool,
    format_: str | None,
    remote: bool,
    remote_a: bool,
    remote_b: bool,
    platform: str | None,
) -> None:
    """Show how B differs from A: in manifest, config, layers, and with --files in its files.

    A line begins with + for what only B has, with - for what only A has, and with ~ for what both
    have differently. Times of files are not compared.
    """
    one = wanted_image(before, platform, remote=remote or remote_a)
    two = wanted_image(after, platform, remote=remote or remote_b)
    with app.session() as session:
        found = diff(session, one, two, files=files)
    if format_:
        app.write(f"{dumps(_document(found), indent='  ')}\n")
    else:
        in_colour = sys.stdout.isatty() and not app.settings.environ.get("NO_COLOR")
        app.write("".join(f"{_coloured(line, wanted=in_colour)}\n" for line in _lines(found)))
    if exit_code and not found.is_empty:
        raise click.exceptions.Exit(ExitStatus.DIFFERENT)


def _coloured(line: str, *, wanted: bool) -> str:
    text = printable(line)
    colour = _COLOURS.get(line[0])
    return click.style(text, fg=colour) if wanted and colour else text


def _lines(found: Difference) -> Iterator[str]:
    for title, changes in (("Manifest", found.manifest), ("Config", found.config)):
        if changes:
            yield title
            yield from map(_change_line, changes)
    if found.layers:
        shared = sum(layer.size for layer in found.shared)
        yield f"Layers ({len(found.shared)} shared, {human_size(shared)})"
        yield from map(_layer_line, found.layers)
    if found.files:
        yield "Files"
        yield from map(_file_line, found.files)


def _sign(before: object, after: object) -> str:
    return "+" if before is None else "-" if after is None else "~"


def _change_line(change: Change) -> str:
    shown = " -> ".join(value for value in (change.before, change.after) if value is not None)
    return f"{_sign(change.before, change.after)} {change.field}: {shown}".rstrip(": ")


def _layer_line(change: LayerChange) -> str:
    layers = [layer for layer in (change.before, change.after) if layer]
    names = " -> ".join(str(layer.digest) for layer in layers)
    sizes = " -> ".join(human_size(layer.size) for layer in layers)
    how = " (packed otherwise)" if len(layers) > 1 else ""
    return f"{_sign(change.before, change.after)} {names} {sizes}{how}"


def _file_line(change: FileChange) -> str:
    members = [member for member in (change.before, change.after) if member]
    sizes = [str(member.size) for member in members if member.size]
    if len(sizes) > 1 and sizes[0] == sizes[1]:
        sizes.pop()
    how = f" ({', '.join(change.what)})" if change.what else ""
    shown = f" {' -> '.join(sizes)}" if sizes else ""
    return f"{_sign(change.before, change.after)} /{change.path}{shown}{how}"


def _document(found: Difference) -> Struct:
    return Struct(
        {
            "Equal": found.is_empty,
            "Manifest": [_change(change) for change in found.manifest],
            "Config": [_change(change) for change in found.config],
            "Layers": [_layer(change) for change in found.layers],
            "SharedLayers": [
                Struct({"Digest": str(layer.digest), "Size": layer.size}) for layer in found.shared
            ],
            "Files": None if found.files is None else [_file(change) for change in found.files],
        }
    )


def _change(change: Change) -> Struct:
    sign = _sign(change.before, change.after)
    return Struct({"Change": sign, "Field": change.field, "A": change.before, "B": change.after})


def _layer(change: LayerChange) -> Struct:
    sides: dict[str, Any] = {
        side: Struct({"Digest": str(layer.digest), "Size": layer.size}) if layer else None
        for side, layer in (("A", change.before), ("B", change.after))
    }
    sign = _sign(change.before, change.after)
    return Struct({"Change": sign, "DiffID": str(change.diff_id), **sides})


def _file(change: FileChange) -> Struct:
    return Struct(
        {
            "Change": _sign(change.before, change.after),
            "Path": f"/{change.path}",
            "What": list(change.what),
            "A": _member(change.before),
            "B": _member(change.after),
        }
    )


def _member(member: Member | None) -> Struct | None:
    if member is None:
        return None
    return Struct(
        {
            "Type": member.kind.value,
            "Mode": member.permissions,
            "UID": member.uid,
            "GID": member.gid,
            "Size": member.size,
            "Target": member.target,
        }
    )
