"""``ghcrctl lock check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.locks.pins import document, file_option, pins_of
from ghcrctl.cli.options import format_option, pass_app, quiet_option, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.locks.check import RegistryState, check_pins, worst_status

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.locks.check import CheckedPin


@click.command(
    cls=Command,
    examples="""
    ghcrctl lock check
    ghcrctl lock check -q | xargs ghcrctl lock update
    ghcrctl lock check --offline --local
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@click.option("--offline", is_flag=True, help="Do not contact registries.")
@click.option("--local", is_flag=True, help="Also check that pinned images exist locally.")
@quiet_option("names that fail the check")
@file_option
@format_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    names: tuple[str, ...],
    offline: bool,
    local: bool,
    quiet: bool,
    file: Path,
    format_: str | None,
) -> None:
    """Check whether tags still point to their pinned digests, with one request per name.

    Exits with 0 if all tags match, 9 if a tag has moved or was deleted, 4 if a pinned image no
    longer exists, and 2 if the lock file is invalid. Errors that prevent the check take precedence:
    3 if a registry cannot be reached and 5 if it denies access.
    """
    results = Results(app, format_)
    with app.session() as session:
        pins = pins_of(app, session, file, names)
        checked = check_pins(session, file, pins, ask=not offline, local=local)
    for one in checked:
        results.add(_document(one))
        if quiet and one.failures:
            results.out(str(one.pin.name))
        elif not one.failures and not quiet:
            results.out(f"{one.pin.name}: {_shown(one)}")
    results.end()
    for one in checked:
        for failure in one.failures:
            if not quiet or one.there is RegistryState.UNKNOWN:
                app.report(failure)
    if status := worst_status(checked):
        raise click.exceptions.Exit(status)


def _shown(one: CheckedPin) -> str:
    words = [word.value for word in (one.there, one.here) if word.value != "not asked"]
    return " and ".join(words) or "pinned"


def _document(one: CheckedPin) -> dict[str, object]:
    first = one.failures[0] if one.failures else None
    return {
        **document(one.pin),
        "Status": one.there.value,
        "Now": str(one.now) if one.now else None,
        "Local": one.here.value,
        "Error": first.code if first else None,
    }
