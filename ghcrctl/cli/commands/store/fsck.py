"""``ghcrctl fsck``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.byte_progress import byte_counter
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import format_option, pass_app, quiet_option, registry_options
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.errors import ExitStatus
from ghcrctl.operations.store.fsck import check, repair_all
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.store.fsck import CheckResult, Repair


@click.command(
    cls=Command,
    examples="""
    ghcrctl fsck
    ghcrctl fsck --repair
    """,
)
@click.option("--repair", "fix", is_flag=True, help="Download missing and damaged content again.")
@quiet_option("the digests of missing and damaged content")
@format_option
@registry_options
@pass_app
def command(app: App, *, fix: bool, quiet: bool, format_: str | None) -> None:
    """Check the content of local images against their digests.

    Also checks the names and IDs in the list of images. Exits with 6 if there are problems.
    --repair downloads missing and damaged content from its registry and removes invalid names.
    Everything else is left unchanged.
    """
    results = Results(app, format_)
    show = partial(_show, results, quiet=quiet)
    repaired: dict[str, None] = {}
    with app.session() as session:
        result = _checked(app, session, quiet=quiet)
        if fix and result.faults:
            if not quiet:
                show(result)
            report = partial(_report, app, results, repaired, quiet=quiet)
            with show_transfers(app.display, quiet=quiet) as watch:
                result = repair_all(session, result, report, watch(ignore))
        show(result)
    results.add({**_document(result), "Repaired": list(repaired)})
    results.end(single=True)
    if result.faults:
        if not (fix or app.as_json):
            app.error_line("hint: download the content again: ghcrctl fsck --repair")
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _checked(app: App, session: Session, *, quiet: bool) -> CheckResult:
    with byte_counter(app, "content", quiet=quiet) as progress:
        return check(session, progress=progress)


def _report(
    app: App, results: Results, repaired: dict[str, None], done: Repair, *, quiet: bool
) -> None:
    if done.error:
        if not app.as_json:
            app.error_line(f"cannot repair {done.name}")
        app.report(done.error)
        return
    repaired[done.name] = None
    if not quiet:
        results.out(f"Repaired: {done.name}")


def _show(results: Results, result: CheckResult, *, quiet: bool) -> None:
    for fault, names in result.faults:
        digest = fault.descriptor.digest
        line = f"{fault.problem}: {digest} of {', '.join(names)}: {fault.detail}"
        results.out(str(digest) if quiet else line)
    if not quiet:
        checked = f"Checked {quantity(result.images, 'image')}, {human_size(result.content)}"
        problems = quantity(len(result.faults), "problem") if result.faults else "no problems"
        results.out(f"{checked}: {problems} found")


def _document(result: CheckResult) -> dict[str, Any]:
    return {
        "Images": result.images,
        "Bytes": result.content,
        "Faults": [
            {
                "Problem": fault.problem,
                "Digest": str(fault.descriptor.digest),
                "Names": names,
                "Detail": fault.detail,
            }
            for fault, names in result.faults
        ],
    }
