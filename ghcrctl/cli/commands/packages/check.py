"""``ghcrctl packages check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.options import format_option_beside, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.packages.check import check_packages, unchecked

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.operations.packages.check import Finding


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages check OWNER/IMAGE
    ghcrctl packages check 'OWNER/*' --format json
    """,
)
@click.argument("names", metavar="OWNER/IMAGE...", nargs=-1, required=True)
@format_option_beside("text")
@registry_options
@pass_app
def command(app: App, *, names: tuple[str, ...], format_: str | None) -> None:
    """Find indexes with missing images, signatures of deleted images, and missing metadata.

    Exits with 6 if a pull would fail. If a package cannot be checked, the others are still checked.
    """
    results = Results(app, format_)
    counting = ItemCounter(app)
    breaks = False
    failures: list[tuple[str, GhcrctlError]] = []

    def failed(name: str, error: GhcrctlError) -> None:
        counting.clear()
        failures.append((name, error))
        app.report(error)
        results.add(_document(name, unchecked(error)))

    with app.session() as session:
        for named, found in check_packages(session, names, counting, failed):
            counting.clear()
            for finding in found:
                breaks = breaks or finding.trouble.breaks
                if finding.trouble.breaks:
                    app.actions.error(f"{named.name}: {finding.message}")
                results.add(_document(named.name, finding))
                results.out(f"{named.name}: {finding.trouble.value}: {finding.message}")
                results.out(f"  fix: {finding.mend}")
            if not found:
                results.out(f"{named.name}: no problems found")
    results.end()
    if failures:
        raise click.exceptions.Exit(failures[0][1].exit_status)
    if breaks:
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _document(name: str, finding: Finding) -> dict[str, object]:
    return {
        "Package": name,
        "Trouble": finding.trouble.value,
        "Breaks": finding.trouble.breaks,
        "Message": finding.message,
        "Mend": finding.mend,
        "Digest": finding.digest or None,
        "Tags": list(finding.tags),
        "Missing": list(finding.missing),
        "Restorable": [digest for digest, _ in finding.restorable],
    }
