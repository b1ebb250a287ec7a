"""``ghcrctl digest``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import digest_file_option, format_option, pass_app, registry_options
from ghcrctl.cli.ordered_output import run_in_sequence
from ghcrctl.cli.results import Results
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.registries.digest import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.oci.reference import Reference


@click.command(
    cls=Command,
    examples="""
    ghcrctl digest OWNER/IMAGE:1.0
    ghcrctl digest --platform linux/arm64 OWNER/IMAGE:1.0
    ghcrctl pull $(ghcrctl digest --full OWNER/IMAGE:1.0)
    """,
)
@click.argument("names", metavar="NAME[:TAG]...", nargs=-1, required=True)
@click.option("--full", is_flag=True, help="Print NAME@DIGEST.")
@click.option("--platform", metavar="OS/ARCH[/VARIANT]", help="Print the digest for this platform.")
@digest_file_option
@format_option
@registry_options
@pass_app
def command(
    app: App,
    *,
    names: tuple[str, ...],
    full: bool,
    platform: str | None,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Print the digest of a tag at its registry, without downloading.

    If a name fails, the others are still processed.
    """
    wanted = Platform.parse(platform) if platform else None
    results = Results(app, format_, digest_file)
    with app.session() as session:
        references = [session.parse(name).tagged() for name in names]

        def print_digest(reference: Reference) -> None:
            digest = digest_of(session, reference, platform=wanted)
            pinned = str(reference.with_digest(digest))
            results.add({"Name": str(reference), "Digest": str(digest), "Pinned": pinned})
            results.add_image(str(reference), digest)
            results.out(pinned if full else str(digest))

        run_in_sequence(app, references, print_digest, results)
