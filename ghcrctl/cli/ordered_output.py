"""Images that move at once, shown as if one came after the other, and others that do.

What belongs here: whose lines are printed when, and what becomes of failures. What does not: which
lines (``progress``, ``commands``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import click

from ghcrctl.cli.progress.transfer_lines import watching
from ghcrctl.content.thread_waits import wait_for_result
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.common.batch import submit_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import TypeAlias

    from ghcrctl.cli.app import App
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.cli.results import Results
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.workers import Workers

    Out: TypeAlias = Callable[[str], None]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Turns:
    """Keeps back the lines of all but one image, whose turn it is.

    Args:
        out: prints a line.
        begin: is called before the first line of an image, with its number.
    """

    def __init__(self, out: Out, begin: Callable[[int], object] = lambda _: None) -> None:
        self._out = out
        self._begin = begin
        self._begun = -1
        self._current = 0
        self._kept: dict[int, list[str]] = {}
        self._lock = threading.Lock()

    def of(self, number: int) -> Out:
        """Return what prints the lines of an image; the first is number 0."""

        def say(line: str) -> None:
            with self._lock:
                if number == self._current:
                    self._print(line)
                else:
                    self._kept.setdefault(number, []).append(line)

        return say

    def end(self) -> None:
        """Go on to the next image: print what it has said so far."""
        with self._lock:
            self._current += 1
            for line in self._kept.pop(self._current, ()):
                self._print(line)

    @property
    def has_begun(self) -> bool:
        """Whether the image whose turn it is has a line."""
        return self._begun == self._current

    def _print(self, line: str) -> None:
        if not self.has_begun:
            self._begun = self._current
            self._begin(self._current)
        self._out(line)


def in_turn(  # noqa: PLR0913 all but these by keyword
    app: App,
    session: Session,
    items: Sequence[Item],
    act: Callable[[Item, Out, Watch, Workers], Result],
    show: Callable[[Result], None],
    *,
    results: Results,
    title: Callable[[Item], str],
    quiet: bool,
) -> None:
    """Do something for several images at once, and show it in their order.

    An image that fails is told at its turn, and the others go on; the first failure's exit status
    is the command's.

    Args:
        app: where lines go.
        session: the run.
        items: the images, each once.
        act: does it, given where its lines go, how to be watched, and who works.
        show: prints the result of one.
        results: where lines of result go; with ``--format`` lines are none.
        title: what one is called in the log of a job.
        quiet: draw no bars.
    """

    def begin(number: int) -> None:
        if not results.are_documents:
            app.actions.group(title(items[number]))

    turns = Turns(results.out, begin)
    failed: GhcrctlError | None = None
    with watching(app.display, quiet=quiet) as watch:

        def one(numbered: tuple[int, Item], workers: Workers) -> Result:
            number, item = numbered
            return act(item, turns.of(number), watch, workers)

        with submit_all(session, one, list(enumerate(items))) as outcomes:
            for outcome in outcomes:
                try:
                    result = _outcome(app, turns, results, outcome)
                except GhcrctlError as error:
                    if len(items) == 1:
                        raise
                    failed = failed or error
                    app.report(error)
                else:
                    show(result)
                turns.end()
    if failed:
        raise click.exceptions.Exit(failed.exit_status)


def _outcome(app: App, turns: Turns, results: Results, outcome: Future[Result]) -> Result:
    """Wait for an image's end, and end its group in the log of a job."""
    try:
        return wait_for_result(outcome)
    finally:
        if turns.has_begun and not results.are_documents:
            app.actions.end_group()


def one_by_one(
    app: App, items: Sequence[Item], act: Callable[[Item], object], results: Results
) -> None:
    """Do something for one after the other, and tell of the results at the end.

    One that fails is told, and the others go on; the first failure's exit status is the command's.

    Args:
        app: where failures are told.
        items: what it is done for.
        act: does it, and notes the result.
        results: of the command.
    """
    failed: GhcrctlError | None = None
    try:
        for item in items:
            try:
                act(item)
            except GhcrctlError as error:
                if len(items) == 1:
                    raise
                failed = failed or error
                app.report(error)
    finally:
        results.end()
    if failed:
        raise click.exceptions.Exit(failed.exit_status)
