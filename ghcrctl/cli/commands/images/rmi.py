"""``ghcrctl rmi``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app
from ghcrctl.cli.results import Results
from ghcrctl.errors import GhcrctlError, NoSuchImageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.find import is_id
from ghcrctl.operations.images.remove import Removed, remove_all
from ghcrctl.operations.images.remove_platforms import remove_platforms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.remove_platforms import Reduced


@click.command(
    cls=Command,
    examples="""
    ghcrctl rmi ghcr.io/OWNER/IMAGE:1.0
    ghcrctl rmi 38f737a91f39
    ghcrctl rmi --platform linux/s390x OWNER/IMAGE:1.0
    ghcrctl rmi -f $(ghcrctl images -q)
    """,
)
@click.argument("names", metavar="NAME|ID|DIGEST...", nargs=-1, required=True)
@click.option(
    "-f", "--force", is_flag=True, help="Remove all names of an ID; ignore missing images."
)
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    multiple=True,
    help="Remove only this platform (repeatable).",
)
@click.option("--no-prune", is_flag=True, hidden=True, expose_value=False)
@format_option
@pass_app
def command(
    app: App,
    *,
    names: tuple[str, ...],
    force: bool,
    platforms: tuple[str, ...],
    format_: str | None,
) -> None:
    """Remove names of local images, and images that have no names left.

    Layers that other images use are kept.
    """
    wanted = tuple(Platform.parse(text) for text in platforms)
    results = Results(app, format_)
    failed: GhcrctlError | None = None
    deleted: set[str] = set()
    with app.session() as session:
        for name, result in _removed(session, names, wanted, force=force):
            if isinstance(result, GhcrctlError):
                if not isinstance(result, NoSuchImageError):
                    failed = failed or result
                elif _is_among(deleted, name):
                    continue
                elif not force:
                    failed = failed or result
                app.report(result)
            else:
                deleted.update(_report(results, name, result))
    results.end()
    if failed:
        raise click.exceptions.Exit(failed.exit_status)


def _removed(
    session: Session, names: Sequence[str], platforms: tuple[Platform, ...], *, force: bool
) -> Iterator[tuple[str, Removed | Reduced | GhcrctlError]]:
    """Remove images, or platforms of them, and yield the result or error of each name."""
    if not platforms:
        for outcome in remove_all(session, names, force=force):
            result = outcome.removed or outcome.error
            assert result is not None  # noqa: S101 one of the two is set
            yield outcome.text, result
        return
    for name in names:
        try:
            yield name, remove_platforms(session, name, platforms)
        except GhcrctlError as error:
            yield name, error


def _report(results: Results, name: str, result: Removed | Reduced) -> list[str]:
    """Report the removal of one name and return the deleted digests."""
    untagged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    if isinstance(result, Removed):
        untagged = tuple(result.untagged)
        for line in untagged:
            results.out(f"Untagged: {line}")
    else:
        kept = tuple(result.names)
        for line in kept:
            results.out(f"Reduced: {line}" + ("" if "@" in line else f"@{result.digest}"))
    digests = [str(digest) for digest in result.deleted]
    for digest in digests:
        results.out(f"Deleted: {digest}")
    results.add({"Name": name, "Untagged": untagged, "Reduced": kept, "Deleted": digests})
    return digests


def _is_among(deleted: set[str], text: str) -> bool:
    """Return whether an image ID was already deleted with an earlier image.

    A list of all IDs includes referrers, which are deleted with their subject.
    """
    prefix = text if ":" in text else f"sha256:{text}"
    return is_id(text) and any(digest.startswith(prefix) for digest in deleted)
