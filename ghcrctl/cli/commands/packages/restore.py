"""``ghcrctl packages restore``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.options import format_option, pass_app, quiet_option, registry_options
from ghcrctl.cli.path_types import PATH
from ghcrctl.cli.results import Results
from ghcrctl.errors import GhcrctlError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.common.times import parse_point_in_time
from ghcrctl.operations.packages.deletion_outcome import ends_run
from ghcrctl.operations.packages.package_names import read_package
from ghcrctl.operations.packages.restore import (
    Outcome,
    VersionSelector,
    restore,
    restore_package,
    restore_run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.package_names import PackageName
    from ghcrctl.operations.packages.restore import Restored


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages restore OWNER/IMAGE --tag v1.2.3
    ghcrctl packages restore OWNER/IMAGE --since 2h
    ghcrctl packages restore --run plan.json.journal
    ghcrctl packages restore OWNER/IMAGE
    """,
)
@click.argument("name", metavar="[OWNER/IMAGE]", required=False)
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Restore the last version with this tag."
)
@click.option("--digest", "digests", metavar="DIGEST", multiple=True, help="Restore this version.")
@click.option("--id", "ids", metavar="ID", type=int, multiple=True, help="Restore this version.")
@click.option("--since", metavar="SPAN|DATE", help="Restore all versions deleted since then (2h).")
@click.option(
    "--run",
    "run",
    metavar="FILE",
    type=PATH,
    help="Restore all versions in a journal of `apply` or `prune`.",
)
@quiet_option("restored digests")
@format_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str | None,
    tags: tuple[str, ...],
    digests: tuple[str, ...],
    ids: tuple[int, ...],
    since: str | None,
    run: Path | None,
    quiet: bool,
    format_: str | None,
) -> None:
    """Restore deleted versions and everything they need. Without options, restore a package.

    GitHub keeps deleted versions for 30 days. Tags are restored too, except those that now point to
    another version. Run the command again if a restore fails partway.
    """
    results = Results(app, format_)
    now = datetime.now(timezone.utc)
    moment = parse_point_in_time(since, now, f"--since {since}") if since is not None else None
    choice = VersionSelector(tags, tuple(str(Digest.parse(d)) for d in digests), ids, moment)
    counting = ItemCounter(app, quiet=quiet)
    show = _Show(app, results, counting, quiet=quiet)
    whole = choice.is_empty and not run
    with app.session() as session:
        named = read_package(session, name) if name else None
        try:
            if run:
                if not choice.is_empty:
                    raise UsageError(
                        "--run cannot be combined with --tag, --digest, --id or --since"
                    )
                restore_run(session, run, only=named, tell=show, progress=counting)
            elif named is None:
                raise UsageError("give OWNER/IMAGE, or --run FILE")
            elif choice.is_empty:
                restore_package(session, named)
            else:
                restore(session, named, choice, tell=show, progress=counting)
        except GhcrctlError:
            if show.restored:
                show.end(named, whole=whole)
            raise
    show.end(named, whole=whole)
    failed = [r.error for r in show.restored if r.error]
    if failed:
        raise click.exceptions.Exit(failed[0].exit_status)


def _document(restored: Restored) -> dict[str, object]:
    return {
        "ID": restored.id,
        "Digest": restored.digest,
        "Outcome": restored.outcome.value,
        "Tags": restored.tags,
        "TagsElsewhere": restored.moved,
        **error_fields(restored.error),
    }


class _Show:
    """Prints the result of each version and the counts."""

    def __init__(self, app: App, results: Results, counting: ItemCounter, *, quiet: bool) -> None:
        self.restored: list[Restored] = []
        self._app = app
        self._results = results
        self._counting = counting
        self._quiet = quiet

    def __call__(self, result: Restored) -> None:
        self.restored.append(result)
        self._counting.clear()
        error = result.error
        # An error that ends the run is reported at its end.
        if error and not ends_run(error):
            message = f"#{result.id} {result.digest}: {error}"
            self._app.failure(error.code, message, error.hint, error.exit_status)
        elif not self._quiet:
            tags = f" ({', '.join(result.tags)})" if result.tags else ""
            self._results.out(f"{_WORDS[result.outcome]}: #{result.id} {result.digest}{tags}")
        elif result.outcome is Outcome.RESTORED:
            self._results.out(result.digest)
        for tag in result.moved:
            self._app.warn(f"tag `{tag}` points to another version now and is not restored")

    def end(self, named: PackageName | None, *, whole: bool) -> None:
        """Print the counts, or the document."""
        self._counting.clear()
        counts = Counter(result.outcome for result in self.restored)
        if not self._quiet:
            parts = [
                f"{counts[Outcome.RESTORED]} restored",
                *(f"{counts[o]} {word}" for o, word in _COUNTED.items() if counts[o]),
            ]
            line = f"Restored: {named.name}" if named and whole else ", ".join(parts)
            self._results.out(line)
        versions = [_document(each) for each in self.restored]
        self._results.add({"Package": named and named.name, "Whole": whole, "Versions": versions})
        self._results.end(single=True)


_WORDS = {
    Outcome.RESTORED: "Restored",
    Outcome.THERE: "Already exists",
    Outcome.FAILED: "Failed",
    Outcome.PLANNED: "Not attempted",
}
_COUNTED = {
    Outcome.FAILED: "failed",
    Outcome.PLANNED: "not attempted",
}
