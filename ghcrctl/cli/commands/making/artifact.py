"""``ghcrctl artifact``, and the options shared with ``attach``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.command_classes import Command, Group
from ghcrctl.cli.options import (
    format_option,
    output_options,
    pass_app,
    registry_options,
)
from ghcrctl.cli.path_types import DIRECTORY, PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import PUSH_WORDS, LineObserver, show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.operations.making.artifact import (
    FileEntry,
    pull_artifact,
    push_artifact,
)
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ghcrctl.cli.app import App

    Function = TypeVar("Function", bound=Callable[..., Any])


def file_options(function: Function) -> Function:
    """Add ``--type`` and ``--annotation`` of an artifact."""
    function = click.option(
        "-a",
        "--annotation",
        "annotations",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set an annotation on the artifact.",
    )(function)
    return click.option(
        "--type",
        "artifact_type",
        metavar="TYPE",
        required=True,
        help="Set the artifact type, such as application/spdx+json.",
    )(function)


def read_annotations(texts: Iterable[str], *, empty: bool = False) -> dict[str, str]:
    """Parse annotations of the form ``KEY=VALUE``.

    Args:
        texts: the values of the option.
        empty: whether ``KEY`` alone is valid too.

    Raises:
        UsageError: an annotation is invalid.
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not (equals or empty):
            raise UsageError(f"invalid annotation `{text}`: expected KEY=VALUE")
        found[key] = value
    return found


@click.group(cls=Group, short_help="Push and pull files as artifacts")
def command() -> None:
    """Push and pull files as artifacts, in the same format as oras."""


@command.command(
    "push",
    cls=Command,
    short_help="Push files as an artifact",
    examples="""
    ghcrctl artifact push --type application/vnd.example.config OWNER/config:1.0 app.toml
    ghcrctl artifact push --type text/plain OWNER/notes:1 a.txt:text/plain b.json:application/json
    """,
)
@click.argument("name", metavar="NAME[:TAG]")
@click.argument("files", metavar="FILE[:TYPE]...", nargs=-1, required=True, type=PATH_OR_DASH)
@file_options
@output_options("the digest")
@registry_options
@pass_app
def push(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    files: tuple[str, ...],
    artifact_type: str,
    annotations: tuple[str, ...],
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Push files to a registry as one artifact with a tag."""
    results = Results(app, format_, digest_file)
    with app.session() as session:
        target = session.parse(name).tagged()
        header = f"The push refers to repository [{target.name}]"
        lines = LineObserver(results.out, app.warn, PUSH_WORDS, header, quiet=quiet, always=True)
        with show_transfers(app.display, quiet=quiet) as watch:
            created = push_artifact(
                session,
                target,
                [FileEntry.parse(text) for text in files],
                artifact_type,
                annotations=read_annotations(annotations),
                observer=watch(lines, str(target)),
            )
    digest = created.descriptor.digest
    results.out(
        str(digest) if quiet else f"{target.tag}: digest: {digest} size: {created.descriptor.size}"
    )
    results.add_created(str(target), created.descriptor, ArtifactType=artifact_type)
    results.end(single=True)


@command.command(
    "pull",
    cls=Command,
    short_help="Pull the files of an artifact",
    examples="""
    ghcrctl artifact pull OWNER/config:1.0
    ghcrctl artifact pull --to conf OWNER/config:1.0
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=DIRECTORY,
    default=".",
    show_default=True,
    help="Write the files to this directory.",
)
@format_option
@registry_options
@pass_app
def pull(app: App, *, name: str, folder: Path, format_: str | None) -> None:
    """Pull the files of an artifact into a directory, and print their names."""
    results = Results(app, format_)
    with app.session() as session:
        reference = session.parse(name).tagged()
        with show_transfers(app.display, quiet=False) as watch:
            found = pull_artifact(session, reference, folder, watch(ignore, str(reference)))
        files = [str(path) for path in found]
    for file in files:
        results.out(file)
    results.add({"Name": str(reference), "Files": files})
    results.end(single=True)
