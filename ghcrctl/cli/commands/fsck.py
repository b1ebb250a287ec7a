"""``ghcrctl fsck``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.check import check, mend

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.check import CheckResult, Repair


@click.command(
    cls=Command,
    short_help="Check the local store, and repair it",
    examples="""
    ghcrctl fsck
    ghcrctl fsck --repair
    """,
)
@click.option(
    "--repair", "mends", is_flag=True, help="Fetch what is broken from where it came from."
)
@registry_options
@pass_app
def command(app: App, *, mends: bool) -> None:
    """Read everything that local images need, and compare it with its digests.

    Leaves with status 6 where something is wrong. --repair fetches what is missing or damaged from
    its registry, and touches nothing else.
    """
    with app.session() as session:
        result = check(session)
        _show(app, result)
        if mends and result.faults:
            result = mend(session, result, partial(_tell, app))
            _show(app, result)
    if result.faults:
        if not mends:
            app.error_line("hint: ghcrctl fsck --repair fetches what is broken")
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _tell(app: App, done: Repair) -> None:
    if done.error:
        app.error_line(f"not repaired: {done.name}")
        app.report(done.error)
    else:
        app.out(f"Repaired: {done.name}")


def _show(app: App, result: CheckResult) -> None:
    for fault, names in result.faults:
        app.out(f"{fault.problem}: {fault.descriptor.digest} of {', '.join(names)}: {fault.detail}")
    checked = f"Checked {result.images} images, {human_size(result.content)}"
    app.out(f"{checked}: {f'{len(result.faults)} faults' if result.faults else 'all is well'}")
