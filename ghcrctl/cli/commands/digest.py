"""``ghcrctl digest``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.digest import digest_of

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    short_help="Print what a tag stands for",
    examples="""
    ghcrctl digest OWNER/IMAGE:1.0
    ghcrctl digest --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl pull $(ghcrctl digest --full OWNER/IMAGE:1.0)
    """,
)
@click.argument("names", metavar="NAME[:TAG]...", nargs=-1, required=True)
@click.option("--full", is_flag=True, help="Print NAME@DIGEST, which can be pulled.")
@click.option(
    "--platform", metavar="OS/ARCH[/VARIANT]", help="The digest of this platform's image."
)
@registry_options
@pass_app
def command(app: App, *, names: tuple[str, ...], full: bool, platform: str | None) -> None:
    """Print the digest that a tag stands for at its registry, downloading nothing."""
    wanted = Platform.parse(platform) if platform else None
    with app.session() as session:
        for name in names:
            reference = session.parse(name).tagged()
            digest = digest_of(session, reference, platform=wanted)
            app.out(str(reference.with_digest(digest)) if full else str(digest))
