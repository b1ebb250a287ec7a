"""``ghcrctl logout``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app
from ghcrctl.cli.results import Results

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.common.session import Session


@click.command(
    cls=Command,
    examples="""
    ghcrctl logout
    ghcrctl logout registry.example.com:5000
    ghcrctl logout --all
    """,
)
@click.argument("server", default="ghcr.io")
@click.option("--all", "everything", is_flag=True, help="Log out from every registry.")
@format_option
@pass_app
def command(app: App, *, server: str, everything: bool, format_: str | None) -> None:
    """Log out from a registry.

    Defaults to ghcr.io if no server is specified.
    """
    from ghcrctl.operations.registries.login import (
        logged_in,
        registry_name,
        warn_of_helper_credentials,
    )

    results = Results(app, format_)
    with app.session() as session:
        registries = logged_in(session) if everything else [registry_name(server)]
        if not registries:
            results.out("Not logged in to any registry")
        for registry in registries:
            _logout(results, session, registry)
        if everything:
            warn_of_helper_credentials(session)
    results.end()


def _logout(results: Results, session: Session, registry: str) -> None:
    from ghcrctl.operations.registries.login import logout

    places = logout(session, registry)
    if places:
        results.out(f"Removing login credentials for {registry}")
    else:
        results.out(f"Not logged in to {registry}")
    results.add({"Registry": registry, "Removed": list(places)})
