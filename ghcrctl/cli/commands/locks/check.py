"""``ghcrctl lock check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.commands.locks.pins import document, file_option, pins_of
from ghcrctl.cli.options import Command, format_option, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.locks.check import RegistryState, check_pins, worst_status

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.locks.check import CheckedPin


@click.command(
    cls=Command,
    short_help="Tell by the exit status whether all pins still hold",
    examples="""
    ghcrctl lock check
    ghcrctl lock check -q | xargs ghcrctl lock update
    ghcrctl lock check --offline --local
    """,
)
@click.argument("names", metavar="[NAME[:TAG]]...", nargs=-1)
@click.option(
    "--offline", is_flag=True, help="Ask no registry; read the file, and with --local the store."
)
@click.option("--local", is_flag=True, help="Check, too, that the local store has what is pinned.")
@click.option("-q", "--quiet", is_flag=True, help="Print the names of what does not hold, no more.")
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
    """Tell whether tags still stand for what is pinned, by one request each; nothing is pulled.

    The exit status is 0 where all do, 9 where a tag has moved or is gone, 4 where what is pinned is
    not to be had any more, and 2 where the file makes no sense. What leaves it open has a status of
    its own and comes first: 3 where a registry cannot be asked, 5 where it wants another
    credential.
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
