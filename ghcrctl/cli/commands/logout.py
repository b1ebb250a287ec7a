"""``ghcrctl logout``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, pass_app

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.session import Session


@click.command(
    cls=Command,
    short_help="Sign out of a registry",
    examples="""
    ghcrctl logout
    ghcrctl logout registry.example.com:5000
    ghcrctl logout --all
    """,
)
@click.argument("server", default="ghcr.io")
@click.option("--all", "everything", is_flag=True, help="Sign out of every registry.")
@pass_app
def command(app: App, *, server: str, everything: bool) -> None:
    """Forget the credential for a registry, ghcr.io by default."""
    from ghcrctl.operations.login import logged_in, registry_name

    with app.session() as session:
        registries = logged_in(session) if everything else [registry_name(server)]
        if not registries:
            app.out("Not logged in to any registry")
        for registry in registries:
            _logout(app, session, registry)


def _logout(app: App, session: Session, registry: str) -> None:
    from ghcrctl.operations.login import logout

    places = logout(session, registry)
    if places:
        app.out(f"Removing login credentials for {registry}")
    else:
        app.out(f"Not logged in to {registry}")
    left = session.keychain.find(registry)
    if left:
        app.warn(f"{registry} is still reached with a credential from {left.source}")
