"""``ghcrctl fsck``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.check import check, repair

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.check import CheckResult
    from ghcrctl.operations.session import Session


@click.command(
    cls=Command,
    short_help="Check the local store, and repair it",
    examples="""
    ghcrctl fsck
    ghcrctl fsck --repair
    """,
)
@click.option(
    "--repair", "mend", is_flag=True, help="Fetch what is broken from where it came from."
)
@registry_options
@pass_app
def command(app: App, *, mend: bool) -> None:
    """Read everything that local images need, and compare it with its digests.

    Leaves with status 6 where something is wrong. --repair fetches what is missing or damaged from
    its registry, and touches nothing else.
    """
    with app.session() as session:
        result = check(session)
        _show(app, result)
        if mend and result.faults:
            result = _mend(app, session, result)
            _show(app, result)
    if result.faults:
        if not mend:
            app.error_line("hint: ghcrctl fsck --repair fetches what is broken")
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _mend(app: App, session: Session, result: CheckResult) -> CheckResult:
    """Repair, and check again: below a damaged manifest there may be more."""
    before: set[Digest] = set()
    while result.faults and result.broken != before:
        before = result.broken
        for done in repair(session, result):
            if done.error:
                app.error_line(f"not repaired: {done.name}")
                app.report(done.error)
            else:
                app.out(f"Repaired: {done.name}")
        result = check(session)
    return result


def _show(app: App, result: CheckResult) -> None:
    for fault, names in result.faults:
        app.out(f"{fault.problem}: {fault.descriptor.digest} of {', '.join(names)}: {fault.detail}")
    checked = f"Checked {result.images} images, {human_size(result.content)}"
    app.out(f"{checked}: {f'{len(result.faults)} faults' if result.faults else 'all is well'}")
