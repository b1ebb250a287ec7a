"""``ghcrctl packages repair``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.options import format_option, pass_app, quiet_option, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.packages.check import repair
from ghcrctl.operations.packages.package_names import read_package
from ghcrctl.operations.packages.push_missing import make_pusher

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.check import Mended


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages repair OWNER/IMAGE
    ghcrctl packages repair OWNER/IMAGE --from docker.io/OWNER/IMAGE:1.2
    ghcrctl packages repair OWNER/IMAGE --from archive:image.tar
    """,
)
@click.argument("name", metavar="OWNER/IMAGE")
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    help="Push missing images from another copy of the image.",
)
@quiet_option("repaired digests")
@format_option
@registry_options
@pass_app
def command(app: App, *, name: str, source: str | None, quiet: bool, format_: str | None) -> None:
    """Restore images that an index lists but that are missing.

    Images deleted within the last 30 days are restored. Others are pushed again from SOURCE with
    the same digest. SOURCE is REGISTRY/NAME:TAG, oci:DIR, archive:FILE or store:NAME.
    """
    results = Results(app, format_)
    counting = ItemCounter(app, quiet=quiet)
    failed: list[Mended] = []

    def show(repaired: Mended) -> None:
        counting.clear()
        if repaired.error:
            failed.append(repaired)
            app.report(repaired.error)
        else:
            how = repaired.how.capitalize()
            results.out(repaired.digest if quiet else f"{how}: {repaired.digest}")

    with app.session() as session:
        named = read_package(session, name)
        push = make_pusher(session, named, source) if source else None
        done = repair(session, named, push=push, tell=show, progress=counting)
    counting.clear()
    if not (done or quiet):
        results.out(f"{named.name}: nothing is missing")
    results.add({"Package": named.name, "Mended": [_document(repaired) for repaired in done]})
    results.end(single=True)
    if failed and failed[0].error:
        raise click.exceptions.Exit(failed[0].error.exit_status)


def _document(repaired: Mended) -> dict[str, object]:
    return {"Digest": repaired.digest, "How": repaired.how or None, **error_fields(repaired.error)}
