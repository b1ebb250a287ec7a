"""``ghcrctl ls``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.byte_progress import byte_counter
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.inside.export import remote_option, wanted_image
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import list_format_option, pass_app, platform_option, registry_options
from ghcrctl.layers.members import Kind
from ghcrctl.operations.inside.files import list_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.layers.members import Member
    from ghcrctl.operations.inside.files import FileRow

_HEADERS = {
    "Mode": "MODE",
    "Owner": "OWNER",
    "Size": "SIZE",
    "ModifiedAt": "MODIFIED",
    "Name": "NAME",
    "Path": "PATH",
    "Type": "TYPE",
    "UID": "UID",
    "GID": "GID",
    "Target": "TARGET",
    "Device": "DEVICE",
    "Bytes": "BYTES",
}
_COLUMNS = ("Mode", "Owner", "Size", "ModifiedAt", "Path")
_BILLION = 10**9


@click.command(
    cls=Command,
    examples="""
    ghcrctl ls OWNER/IMAGE:1.0 /etc
    ghcrctl ls -lR --remote OWNER/IMAGE:1.0
    ghcrctl ls -R --format '{{.Size}} {{.Path}}' OWNER/IMAGE:1.0 | sort -n
    """,
)
@click.argument("name", metavar="NAME|ID")
@click.argument("path", metavar="[PATH]", default="/")
@click.option("-l", "long", is_flag=True, help="Show modes, owners, sizes and times.")
@click.option("-R", "--recursive", is_flag=True, help="List subdirectories recursively.")
@click.option("-H", "--human", is_flag=True, help="Print human-readable sizes.")
@list_format_option
@remote_option
@platform_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    path: str,
    long: bool,
    recursive: bool,
    human: bool,
    format_: str | None,
    remote: bool,
    platform: str | None,
) -> None:
    """List the files in a directory of an image.

    Links in the path are followed as in a container. Layers are read from the top down, and only as
    many as needed.
    """
    listing = Listing(_HEADERS, _COLUMNS, noun="file", empty_is_null=True)
    wanted = wanted_image(name, platform, remote=remote)
    with app.session() as session, byte_counter(app, "layers") as progress:
        rows = list_files(session, wanted, path, recursive=recursive, progress=progress)
    if format_:
        fields = (_fields(row, human=human) for row in rows)
        app.write(listing.render(fields, format=format_))
    elif long:
        app.write(_long(rows, human=human))
    else:
        app.write("".join(f"{printable(row.name)}\n" for row in rows))


def _fields(row: FileRow, *, human: bool) -> Mapping[str, object]:
    member = row.member
    return {
        "Name": row.name,
        "Path": row.path,
        "Type": member.kind.value,
        "Mode": member.permissions,
        "Owner": _owner(member),
        "UID": member.uid,
        "GID": member.gid,
        "Size": human_size(member.size) if human else member.size,
        "Bytes": member.size,
        "Device": _device(member),
        "ModifiedAt": _time(member.mtime, missing=""),
        "Target": member.target,
    }


def _owner(member: Member) -> str:
    return f"{member.uid}/{member.gid}"


def _size(member: Member, *, human: bool) -> str:
    return _device(member) or (human_size(member.size) if human else str(member.size))


def _device(member: Member) -> str:
    is_device = member.kind in {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE}
    return ",".join(map(str, member.device)) if is_device else ""


def _time(nanoseconds: int, *, missing: str = "-") -> str:
    try:
        time = datetime.fromtimestamp(nanoseconds // _BILLION, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return missing
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _long(rows: Sequence[FileRow], *, human: bool) -> str:
    """Return a long listing in the format of ``tar -tv``."""
    owners = max((len(_owner(row.member)) for row in rows), default=0)
    sizes = max((len(_size(row.member, human=human)) for row in rows), default=0)
    return "".join(
        f"{row.member.permissions} {_owner(row.member):<{owners}} "
        f"{_size(row.member, human=human):>{sizes}} {_short(row.member)} "
        f"{printable(row.name)}{_arrow(row.member)}\n"
        for row in rows
    )


def _short(member: Member) -> str:
    return _time(member.mtime)[:16].replace("T", " ").ljust(16)


def _arrow(member: Member) -> str:
    return f" -> {printable(member.target)}" if member.target else ""
