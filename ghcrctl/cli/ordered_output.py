"""Process multiple images and print their results in order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import click

from ghcrctl.cli.progress.transfer_lines import show_transfers
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


class OrderedOutput:
    """Output of multiple images that are processed in parallel, printed image by image.

    Lines of later images are buffered until all earlier images are done.

    Args:
        out: prints a line.
        begin: called with the number of an image before its first line.
    """

    def __init__(self, out: Out, begin: Callable[[int], object] = lambda _: None) -> None:
        self._out = out
        self._begin = begin
        self._begun = -1
        self._current = 0
        self._pending: dict[int, list[str]] = {}
        self._lock = threading.Lock()

    def printer(self, number: int) -> Out:
        """Return a function that prints lines of an image; the first is number 0."""

        def print_line(line: str) -> None:
            with self._lock:
                if number == self._current:
                    self._print(line)
                else:
                    self._pending.setdefault(number, []).append(line)

        return print_line

    def next_image(self) -> None:
        """Continue with the next image, and print the lines it has so far."""
        with self._lock:
            self._current += 1
            for line in self._pending.pop(self._current, ()):
                self._print(line)

    @property
    def has_begun(self) -> bool:
        """Whether the current image has printed a line."""
        return self._begun == self._current

    def _print(self, line: str) -> None:
        if not self.has_begun:
            self._begun = self._current
            self._begin(self._current)
        self._out(line)


def run_in_parallel(  # noqa: PLR0913 the others are keywords
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
    """Process multiple images in parallel and print their results in order.

    If an image fails, its error is reported in order and the others continue. The command exits
    with the status of the first error.

    Args:
        app: the run.
        session: the session.
        items: the images, each once.
        act: processes an image; it gets a function that prints lines, the progress display, and
            the workers.
        show: prints a result.
        results: the results of the command; with ``--format`` no lines are printed.
        title: returns the heading of an image in the log of a job.
        quiet: draw no bars.
    """

    def begin(number: int) -> None:
        if not results.are_documents:
            app.actions.group(title(items[number]))

    output = OrderedOutput(results.out, begin)
    failed: GhcrctlError | None = None
    with show_transfers(app.display, quiet=quiet) as watch:

        def one(numbered: tuple[int, Item], workers: Workers) -> Result:
            number, item = numbered
            return act(item, output.printer(number), watch, workers)

        with submit_all(session, one, list(enumerate(items))) as outcomes:
            for outcome in outcomes:
                try:
                    result = _outcome(app, output, results, outcome)
                except GhcrctlError as error:
                    if len(items) == 1:
                        raise
                    failed = failed or error
                    app.report(error)
                else:
                    show(result)
                output.next_image()
    if failed:
        raise click.exceptions.Exit(failed.exit_status)


def _outcome(app: App, output: OrderedOutput, results: Results, outcome: Future[Result]) -> Result:
    """Wait for the result of an image, and end its group in the log of a job."""
    try:
        return wait_for_result(outcome)
    finally:
        if output.has_begun and not results.are_documents:
            app.actions.end_group()


def run_in_sequence(
    app: App, items: Sequence[Item], act: Callable[[Item], object], results: Results
) -> None:
    """Process items one after another, and write the results at the end.

    If an item fails, its error is reported and the others continue. The command exits with the
    status of the first error.

    Args:
        app: the run.
        items: the items.
        act: processes an item and adds its result.
        results: the results of the command.
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
