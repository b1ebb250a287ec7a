"""``ghcrctl outdated``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.list_format import Listing
from ghcrctl.cli.format.style import Marked, Meaning
from ghcrctl.cli.options import list_format_option, pass_app, quiet_option, registry_options
from ghcrctl.operations.registries.outdated import State, compare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.registries.outdated import Compared

HEADERS = {"Name": "NAME", "Here": "HERE", "There": "THERE", "State": "STATE"}
_MEANINGS = {
    State.CURRENT: Meaning.GOOD,
    State.OUTDATED: Meaning.WARN,
}
_COLUMNS = ("Name", "Here", "There", "State")


@click.command(
    cls=Command,
    examples="""
    ghcrctl outdated
    ghcrctl outdated -q | xargs -r ghcrctl pull
    ghcrctl outdated --all OWNER/IMAGE
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@click.option("-a", "--all", "everything", is_flag=True, help="Also list current images.")
@quiet_option("the names of outdated images")
@list_format_option
@registry_options
@pass_app
def command(
    app: App, *, names: tuple[str, ...], everything: bool, quiet: bool, format_: str | None
) -> None:
    """List local images whose tags have changed at their registry.

    Each name takes one request, and nothing is downloaded. Local names are skipped. If a registry
    cannot be checked, the exit status is that of the first failure.
    """
    with app.session() as session:
        compared = compare(session, [session.parse(name) for name in names])
    for one in compared:
        if one.error:
            app.warn(f"cannot check {one.reference}: {one.error}")
    _show(app, compared, everything=everything, quiet=quiet, format_=format_)
    if failed := [one.error for one in compared if one.error]:
        raise click.exceptions.Exit(failed[0].exit_status)


def _show(
    app: App,
    compared: Sequence[Compared],
    *,
    everything: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    if quiet:
        outdated = (one.reference for one in compared if one.state is State.OUTDATED)
        app.write("".join(f"{name}\n" for name in outdated))
        return
    shown = [one for one in compared if everything or one.state is not State.CURRENT]
    if not shown and not format_:
        app.out(f"All {len(compared)} names are current" if compared else "No names to compare")
        return
    rows = [_fields(one, full=bool(format_)) for one in shown]
    listing = Listing(HEADERS, _COLUMNS, noun="name", empty_is_null=True)
    app.write(listing.render(rows, format=format_, style=app.style))


def _fields(one: Compared, *, full: bool) -> Mapping[str, object]:
    return {
        "Here": _digest(one.here, full=full),
        "Name": str(one.reference),
        "State": Marked(one.state.value, _MEANINGS.get(one.state)),
        "There": _digest(one.there, full=full),
    }


def _digest(digest: Digest | None, *, full: bool) -> str:
    return "" if digest is None else str(digest) if full else digest.short
