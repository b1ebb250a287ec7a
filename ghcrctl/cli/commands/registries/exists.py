"""``ghcrctl exists``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import (
    Command,
    format_option,
    pass_app,
    platform_option,
    registry_options,
)
from ghcrctl.cli.ordered_output import one_by_one
from ghcrctl.cli.results import Results
from ghcrctl.errors import ExitStatus, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.registries.exists import exists

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Tell by the exit status whether an image is there",
    examples="""
    ghcrctl exists OWNER/IMAGE:1.0 && echo published already
    ghcrctl exists --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl exists --local hello_docker
    """,
)
@click.argument("names", metavar="NAME[:TAG|@DIGEST]...", nargs=-1, required=True)
@click.option("--local", is_flag=True, help="Look in the local store, and ask no registry.")
@platform_option
@format_option
@registry_options
@pass_app
def command(
    app: App,
    *,
    names: tuple[str, ...],
    local: bool,
    platform: str | None,
    format_: str | None,
) -> None:
    """Tell whether images are there, by the exit status and nothing else.

    It is 0 where all are there, and 4 where one is not. Whatever leaves it open has a status of its
    own, and is told: 3 where the registry cannot be asked, 5 where it wants another credential.
    """
    if local and platform:
        raise UsageError("--local and --platform are mutually exclusive")
    results = Results(app, format_)
    wanted = Platform.parse(platform) if platform else None
    missing = []
    with app.session() as session:

        def look(name: str) -> None:
            digest = exists(session, name, platform=wanted, local=local)
            if digest is None:
                missing.append(name)
            found = None if digest is None else str(digest)
            results.add({"Name": name, "Exists": found is not None, "Digest": found})

        one_by_one(app, names, look, results)
    if missing:
        raise click.exceptions.Exit(ExitStatus.NOT_FOUND)
