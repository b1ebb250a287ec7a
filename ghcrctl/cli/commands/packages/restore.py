"""``ghcrctl packages restore``."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.counting import Counting
from ghcrctl.cli.options import Command, pass_app, registry_options
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
    type=click.Path(path_type=Path),
    help="All that a run deleted: the journal of `apply` or `prune`.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what was restored, no more.")
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
) -> None:
    """Bring versions back, with what they need; without any choice, a package that was deleted.

    GitHub keeps what was deleted for 30 days. Tags come back too, but for those that stand for
    something else by now.
    """
    now = datetime.now(timezone.utc)
    moment = read_moment(since, now, f"--since {since}") if since else None
    choice = Choice(tags, tuple(str(Digest.parse(d)) for d in digests), ids, moment)
    counting = Counting(app, quiet=quiet)
    show = _Show(app, counting, quiet=quiet)
    with app.session() as session:
        named = read_package(session, name) if name else None
        if run:
            if not choice.is_empty:
                raise UsageError("--run says what is restored; give no other choice")
            results = restore_run(session, run, only=named, tell=show, progress=counting)
        elif named is None:
            raise UsageError("say OWNER/IMAGE, or --run FILE")
        elif choice.is_empty:
            restore_package(session, named)
            app.out(f"Restored: {named.name}")
            return
        else:
            results = restore(session, named, choice, tell=show, progress=counting)
    counting.clear()
    failed = [r.error for r in results if r.error]
    if not quiet:
        count = sum(r.outcome is Outcome.RESTORED for r in results)
        app.out(f"{count} restored{f', {len(failed)} failed' if failed else ''}")
    if failed:
        raise click.exceptions.Exit(failed[0].exit_status)


class _Show:
    """Prints what became of versions."""

    def __init__(self, app: App, counting: Counting, *, quiet: bool) -> None:
        self._app = app
        self._counting = counting
        self._quiet = quiet

    def __call__(self, result: Restored) -> None:
        self._counting.clear()
        if result.error:
            self._app.error_line(f"error: #{result.id} {result.digest}: {result.error}")
        elif self._quiet:
            if result.outcome is Outcome.RESTORED:
                self._app.out(result.digest)
        else:
            word = "Restored" if result.outcome is Outcome.RESTORED else "Was there"
            tags = f" ({', '.join(result.tags)})" if result.tags else ""
            self._app.out(f"{word}: #{result.id} {result.digest}{tags}")
        for tag in result.moved:
            self._app.warn(f"`{tag}` stands for something else by now, and is left so")
