"""``ghcrctl rebase``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.flatten import make_image, naming_options
from ghcrctl.cli.options import Option, pass_app, platforms_option, registry_options
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.indexes import parse_source
from ghcrctl.operations.making.rebase import RebaseOptions, rebase

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl rebase --old-base OWNER/base:1.0 --new-base OWNER/base:1.1 --replace OWNER/IMAGE:1.0
    ghcrctl rebase OWNER/IMAGE:1.0 -t OWNER/IMAGE:1.0-patched
    """,
)
@click.argument("source", metavar="IMAGE")
@click.option(
    "--old-base",
    cls=Option,
    metavar="IMAGE",
    show_default="from annotations",
    help="Set the current base image.",
)
@click.option(
    "--new-base",
    cls=Option,
    metavar="IMAGE",
    show_default="from annotations",
    help="Set the new base image.",
)
@naming_options
@platforms_option("Only keep this platform of an index (repeatable).")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    source: str,
    old_base: str | None,
    new_base: str | None,
    target: str | None,
    platforms: tuple[str, ...],
    replace: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Replace the base image of an image.

    Only manifests and configs are rewritten. At a registry, layers are mounted. Nothing is rebuilt,
    so check that the result runs. Without --tag or --replace, the new image is pushed by digest and
    no tag changes.
    """
    with app.session() as session:
        rebasing = RebaseOptions(
            old_base=parse_source(session, old_base, local=local) if old_base else None,
            new_base=parse_source(session, new_base, local=local) if new_base else None,
            platforms=tuple(Platform.parse(text) for text in platforms),
            created=session.settings.source_date,
            local=local,
        )
        make_image(
            app,
            session,
            source,
            target,
            lambda here, old, new, observer: rebase(
                here, old, new, rebasing, observer, replace=replace
            ),
            local=local,
            quiet=quiet,
            digest_file=digest_file,
            format_=format_,
        )
