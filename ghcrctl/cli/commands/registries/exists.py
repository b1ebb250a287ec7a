"""``ghcrctl exists``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app, platform_option, registry_options
from ghcrctl.cli.ordered_output import run_in_sequence
from ghcrctl.cli.results import Results
from ghcrctl.errors import ExitStatus, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.registries.exists import exists

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl exists OWNER/IMAGE:1.0 && echo already published
    ghcrctl exists --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl exists --local hello_docker
    """,
)
@click.argument("names", metavar="NAME[:TAG|@DIGEST]...", nargs=-1, required=True)
@click.option("--local", is_flag=True, help="Only check the local store.")
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
    """Check whether images exist, at their registries or in the local store.

    Exits with 0 if all images exist and with 4 if one is missing. Prints nothing unless --format is
    given or the check fails, for example with 3 (network error) or 5 (access denied).
    """
    if local and platform:
        raise UsageError("--local and --platform are mutually exclusive")
    results = Results(app, format_)
    wanted = Platform.parse(platform) if platform else None
    missing = []
    with app.session() as session:

        def check(name: str) -> None:
            digest = exists(session, name, platform=wanted, local=local)
            if digest is None:
                missing.append(name)
            found = None if digest is None else str(digest)
            results.add({"Name": name, "Exists": found is not None, "Digest": found})

        run_in_sequence(app, names, check, results)
    if missing:
        raise click.exceptions.Exit(ExitStatus.NOT_FOUND)
