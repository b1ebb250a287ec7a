"""``ghcrctl rmi``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, pass_app
from ghcrctl.errors import GhcrctlError, NoSuchImageError
from ghcrctl.operations.remove import remove

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Remove local images",
    examples="""
    ghcrctl rmi ghcr.io/OWNER/IMAGE:1.0
    ghcrctl rmi 38f737a91f39
    ghcrctl rmi -f $(ghcrctl images -q)
    """,
)
@click.argument("names", metavar="NAME|ID|DIGEST...", nargs=-1, required=True)
@click.option(
    "-f", "--force", is_flag=True, help="Remove an image by ID with all its names; ignore missing."
)
@click.option("--no-prune", is_flag=True, hidden=True, expose_value=False)
@pass_app
def command(app: App, *, names: tuple[str, ...], force: bool) -> None:
    """Remove names of local images, and the images that have no name left.

    Layers that other images use stay.
    """
    failed: GhcrctlError | None = None
    with app.session() as session:
        for name in names:
            try:
                removed = remove(session, name, force=force)
            except NoSuchImageError as error:
                app.report(error)
                failed = failed if force else failed or error
            except GhcrctlError as error:
                failed = failed or error
                app.report(error)
            else:
                for line in removed.untagged:
                    app.out(f"Untagged: {line}")
                for digest in removed.deleted:
                    app.out(f"Deleted: {digest}")
    if failed:
        raise click.exceptions.Exit(failed.exit_status)
