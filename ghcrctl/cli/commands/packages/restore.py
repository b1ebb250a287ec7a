"""``ghcrctl packages restore``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.counting import Counting
from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.options import Command, format_option, pass_app, registry_options
from ghcrctl.cli.path_types import PATH
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.moments import read_moment
from ghcrctl.operations.packages.naming import read_package
from ghcrctl.operations.packages.restore import (
    Choice,
    Outcome,
    restore,
    restore_package,
    restore_run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.restore import Restored


@click.command(
    cls=Command,
    short_help="Bring back what was deleted",
    examples="""
    ghcrctl packages restore OWNER/IMAGE --tag v1.2.3
    ghcrctl packages restore OWNER/IMAGE --since 2h
    ghcrctl packages restore --run plan.json.journal
    ghcrctl packages restore OWNER/IMAGE
    """,
)
@click.argument("name", metavar="[OWNER/IMAGE]", required=False)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="What had this tag last.")
@click.option("--digest", "digests", metavar="DIGEST", multiple=True, help="This version.")
@click.option("--id", "ids", metavar="ID", type=int, multiple=True, help="This version.")
@click.option("--since", metavar="SPAN|DATE", help="All that was deleted since then: 2h.")
@click.option(
    "--run",
    "run",
    metavar="FILE",
    type=PATH,
    help="All that a run deleted: the journal of `apply` or `prune`.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what was restored, no more.")
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
    """Bring versions back, with what they need; without any choice, a package that was deleted.

    GitHub keeps what was deleted for 30 days. Tags come back too, but for those that stand for
    something else by now.
    """
    results = Results(app, format_)
    now = datetime.now(timezone.utc)
    moment = read_moment(since, now, f"--since {since}") if since is not None else None
    choice = Choice(tags, tuple(str(Digest.parse(d)) for d in digests), ids, moment)
    counting = Counting(app, quiet=quiet)
    show = _Show(app, results, counting, quiet=quiet)
    restored: list[Restored] = []
    with app.session() as session:
        named = read_package(session, name) if name else None
        if run:
            if not choice.is_empty:
                raise UsageError("--run says what is restored; give no other choice")
            restored = restore_run(session, run, only=named, tell=show, progress=counting)
        elif named is None:
            raise UsageError("say OWNER/IMAGE, or --run FILE")
        elif choice.is_empty:
            restore_package(session, named)
        else:
            restored = restore(session, named, choice, tell=show, progress=counting)
    counting.clear()
    failed = [r.error for r in restored if r.error]
    whole = choice.is_empty and not run
    if not quiet:
        count = sum(r.outcome is Outcome.RESTORED for r in restored)
        counted = f"{count} restored{f', {len(failed)} failed' if failed else ''}"
        results.out(f"Restored: {named.name}" if named and whole else counted)
    versions = [_document(each) for each in restored]
    results.add({"Package": named and named.name, "Whole": whole, "Versions": versions})
    results.end(single=True)
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
    """Prints what became of versions."""

    def __init__(self, app: App, results: Results, counting: Counting, *, quiet: bool) -> None:
        self._app = app
        self._results = results
        self._counting = counting
        self._quiet = quiet

    def __call__(self, result: Restored) -> None:
        self._counting.clear()
        if error := result.error:
            message = f"#{result.id} {result.digest}: {error}"
            self._app.failure(error.code, message, error.hint, error.exit_status)
        elif self._quiet:
            if result.outcome is Outcome.RESTORED:
                self._results.out(result.digest)
        else:
            word = "Restored" if result.outcome is Outcome.RESTORED else "Was there"
            tags = f" ({', '.join(result.tags)})" if result.tags else ""
            self._results.out(f"{word}: #{result.id} {result.digest}{tags}")
        for tag in result.moved:
            self._app.warn(f"`{tag}` stands for something else by now, and is left so")
