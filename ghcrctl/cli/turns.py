"""Images that move at once, shown as if one came after the other.

What belongs here: whose lines are printed when, and what becomes of failures. What does not: which
lines (``progress``, ``commands``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import click

from ghcrctl.cli.progress import watching
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.several import several

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from ghcrctl.cli.app import App
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers

    Out: TypeAlias = Callable[[str], None]
    Watch: TypeAlias = Callable[[Observer], Observer]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Turns:
    """Keeps back the lines of all but one image, whose turn it is.

    Args:
        out: prints a line.
    """

    def __init__(self, out: Out) -> None:
        self._out = out
        self._current = 0
        self._kept: dict[int, list[str]] = {}
        self._lock = threading.Lock()

    def of(self, number: int) -> Out:
        """Return what prints the lines of an image; the first is number 0."""

        def say(line: str) -> None:
            with self._lock:
                if number == self._current:
                    self._out(line)
                else:
                    self._kept.setdefault(number, []).append(line)

        return say

    def end(self) -> None:
        """Go on to the next image: print what it has said so far."""
        with self._lock:
            self._current += 1
            for line in self._kept.pop(self._current, ()):
                self._out(line)


def in_turn(
    app: App,
    session: Session,
    items: Sequence[Item],
    act: Callable[[Item, Out, Watch, Workers], Result],
    show: Callable[[Result], None],
    *,
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
        quiet: draw no bars.
    """
    turns = Turns(app.out)
    failed: GhcrctlError | None = None
    with watching(quiet=quiet) as watch:

        def one(numbered: tuple[int, Item], workers: Workers) -> Result:
            number, item = numbered
            return act(item, turns.of(number), watch, workers)

        with several(session, one, list(enumerate(items))) as outcomes:
            for outcome in outcomes:
                try:
                    result = outcome.result()
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
