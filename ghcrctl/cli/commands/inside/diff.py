"""``ghcrctl diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.byte_progress import byte_counter
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.inside.export import remote_option, wanted_image
from ghcrctl.cli.format.differences import as_text, sign_of
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.format.values import Struct
from ghcrctl.cli.options import (
    format_option,
    human_option,
    pass_app,
    platform_option,
    registry_options,
)
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.inside.diff import diff

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.layers.compare_trees import FileChange
    from ghcrctl.layers.members import Member
    from ghcrctl.operations.inside.compare_indexes import FieldChange, PlatformChange
    from ghcrctl.operations.inside.diff import Difference, LayerChange


@click.command(
    cls=Command,
    examples="""
    ghcrctl diff OWNER/IMAGE:1.0 OWNER/IMAGE:1.1
    ghcrctl diff --files --remote OWNER/IMAGE:1.0 OWNER/IMAGE:1.1
    ghcrctl diff --exit-code --remote-b OWNER/IMAGE:1.0 OWNER/IMAGE:1.0
    """,
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--files", is_flag=True, help="Also compare files, which reads the layers.")
@click.option(
    "--exit-code",
    is_flag=True,
    help=f"Exit with {ExitStatus.DIFFERENT.value} if the images differ, else with 0.",
)
@human_option
@format_option
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
    """Show differences between two images: manifest, config, layers and, with --files, files.

    For multi-platform images, the platforms are compared, and config, layers and files for this
    machine's platform. --platform only compares the images for one platform.

    Lines start with + for content only in B, - for content only in A, and ~ for changed content.
    File times are not compared.
    """
    documents = Documents(format_)
    one = wanted_image(before, platform, remote=remote or remote_a)
    two = wanted_image(after, platform, remote=remote or remote_b)
    with app.session() as session, byte_counter(app, "layers") as progress:
        found = diff(session, one, two, files=files, progress=progress)
    if documents:
        app.write(documents.one(_document(found)))
    else:
        app.write(as_text(found, app.style, app.measure))
    if exit_code and not found.is_empty:
        raise click.exceptions.Exit(ExitStatus.DIFFERENT)


def _document(found: Difference) -> Struct:
    return Struct(
        {
            "Equal": found.is_empty,
            "Compared": "index" if found.is_of_indexes else "manifest",
            "A": str(found.before),
            "B": str(found.after),
            "Platform": found.platform,
            "Manifest": [_change(change) for change in found.manifest],
            "Platforms": [_platform(change) for change in found.platforms],
            "Config": [_change(change) for change in found.config],
            "Layers": [_layer(change) for change in found.layers],
            "SharedLayers": [
                Struct({"Digest": str(layer.digest), "Size": layer.size}) for layer in found.shared
            ],
            "Files": None if found.files is None else [_file(change) for change in found.files],
        }
    )


def _change(change: FieldChange) -> Struct:
    sign = sign_of(change.before, change.after)
    return Struct({"Change": sign, "Field": change.field, "A": change.before, "B": change.after})


def _platform(change: PlatformChange) -> Struct:
    sides = {"A": change.before, "B": change.after}
    return Struct(
        {
            "Change": sign_of(change.before, change.after),
            "Platform": change.platform,
            **{side: str(digest) if digest else None for side, digest in sides.items()},
        }
    )


def _layer(change: LayerChange) -> Struct:
    sides: dict[str, Any] = {
        side: Struct({"Digest": str(layer.digest), "Size": layer.size}) if layer else None
        for side, layer in (("A", change.before), ("B", change.after))
    }
    sign = sign_of(change.before, change.after)
    return Struct({"Change": sign, "DiffID": str(change.diff_id), **sides})


def _file(change: FileChange) -> Struct:
    return Struct(
        {
            "Change": sign_of(change.before, change.after),
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
