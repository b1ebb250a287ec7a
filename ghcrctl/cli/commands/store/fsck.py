"""``ghcrctl fsck``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.byte_progress import byte_counter
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import Command, format_option, pass_app, registry_options
from ghcrctl.cli.progress.transfer_lines import watching
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
    short_help="Check the local store, and repair it",
    examples="""
    ghcrctl fsck
    ghcrctl fsck --repair
    """,
)
@click.option(
    "--repair", "mends", is_flag=True, help="Fetch what is broken from where it came from."
)
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what is broken, no more.")
@format_option
@registry_options
@pass_app
def command(app: App, *, mends: bool, quiet: bool, format_: str | None) -> None:
    """Check the content of local images against their digests.

    Names and IDs in the list of images are checked, too. Exits with status 6 if something is wrong.
    --repair downloads missing and damaged content from its registry and drops false names; nothing
    else is changed.
    """
    results = Results(app, format_)
    show = partial(_show, results, quiet=quiet)
    repaired: dict[str, None] = {}
    with app.session() as session:
        result = _checked(app, session, quiet=quiet)
        if mends and result.faults:
            if not quiet:
                show(result)
            tell = partial(_tell, app, results, repaired, quiet=quiet)
            with watching(app.display, quiet=quiet) as watch:
                result = repair_all(session, result, tell, watch(ignore))
        show(result)
    results.add({**_document(result), "Repaired": list(repaired)})
    results.end(single=True)
    if result.faults:
        if not (mends or app.as_json):
            app.error_line("hint: ghcrctl fsck --repair fetches what is broken")
        raise click.exceptions.Exit(ExitStatus.INTEGRITY)


def _checked(app: App, session: Session, *, quiet: bool) -> CheckResult:
    with byte_counter(app, "content", quiet=quiet) as tell:
        return check(session, progress=tell)


def _tell(
    app: App, results: Results, repaired: dict[str, None], done: Repair, *, quiet: bool
) -> None:
    if done.error:
        if not app.as_json:
            app.error_line(f"not repaired: {done.name}")
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
        checked = f"Checked {result.images} images, {human_size(result.content)}"
        how = f"{len(result.faults)} faults" if result.faults else "all is well"
        results.out(f"{checked}: {how}")


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
