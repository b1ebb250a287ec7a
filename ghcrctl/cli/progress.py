"""What a person sees of a transfer: docker's lines, and bars on a terminal.

What belongs here: observers of the engine's events. Lines go to stdout, bars and retries to stderr.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.cli.format.human import human_size
from ghcrctl.transfer.events import Finished, Outcome, Planned, Progressed, Retrying, Started
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.progress import Progress, TaskID

    from ghcrctl.cli.app import App
    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.plan import Step

PULL_WORDS = {
    Outcome.COPIED: "Pull complete",
    Outcome.EXISTS: "Already exists",
    Outcome.SKIPPED: "Skipped foreign layer",
}
PUSH_WORDS = {
    Outcome.COPIED: "Pushed",
    Outcome.EXISTS: "Layer already exists",
    Outcome.MOUNTED: "Mounted from {}",
    Outcome.SKIPPED: "Skipped foreign layer",
}
COPY_WORDS = {**PUSH_WORDS, Outcome.COPIED: "Copied"}


class LineObserver:
    """Prints a line for each layer that is done.

    Args:
        out: prints a line.
        tell: prints a line that is no result.
        words: how each outcome is said.
        header: the line before the first layer, printed when it is known what will move.
        quiet: print nothing.
        always: name layers even where nothing has to move.
    """

    def __init__(
        self,
        out: Callable[[str], None],
        tell: Callable[[str], None],
        words: Mapping[Outcome, str],
        header: str,
        *,
        quiet: bool = False,
        always: bool = False,
    ) -> None:
        self._out = out
        self._tell = tell
        self._words = words
        self._header = header
        self._quiet = quiet
        self._always = always
        self._silent = quiet

    def __call__(self, event: Event) -> None:
        """Print what an event means to a person."""
        if isinstance(event, Planned):
            if self._header and not self._quiet:
                self._out(self._header)
            self._silent = self._quiet or (event.plan.is_up_to_date and not self._always)
        elif isinstance(event, Finished):
            if event.step.is_layer and not self._silent:
                words = self._words[event.outcome].format(event.mounted_from)
                self._out(f"{event.step.descriptor.digest.short}: {words}")
        elif isinstance(event, Retrying):
            short = event.step.descriptor.digest.short
            self._tell(f"warning: {short}: {event.error}; trying again in {event.delay:.1f} s")


class PlanObserver:
    """Prints what would happen.

    Args:
        out: prints a line.
        header: the first line.
        verb: what would become of what is not there: ``download``.
    """

    def __init__(self, out: Callable[[str], None], header: str, verb: str) -> None:
        self._out = out
        self._header = header
        self._verb = verb

    def __call__(self, event: Event) -> None:
        """Print a plan."""
        if not isinstance(event, Planned):
            return
        words = {Action.EXISTS: "Already exists", Action.SKIP: "Skipped foreign layer"}
        self._out(self._header)
        for step in event.plan.steps:
            if step.is_layer:
                size = human_size(step.descriptor.size)
                told = words.get(step.action, f"Would {self._verb} {size}")
                self._out(f"{step.descriptor.digest.short}: {told}")
        moved, there = event.plan.bytes_to_move, event.plan.bytes_there
        self._out(f"Would {self._verb} {human_size(moved)}; {human_size(there)} are there already")


class BarObserver:
    """Draws a bar for each layer that moves, above them what another observer prints."""

    def __init__(self, progress: Progress, lines: Observer) -> None:
        self._progress = progress
        self._lines = lines
        self._bars: dict[Digest, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Move the bars."""
        self._lines(event)
        if isinstance(event, Started) and not event.step.descriptor.is_manifest:
            self._bars[event.step.descriptor.digest] = self._add(event.step)
        elif isinstance(event, Progressed) and event.step.descriptor.digest in self._bars:
            self._progress.update(
                self._bars[event.step.descriptor.digest], completed=event.position
            )
        elif isinstance(event, Finished) and event.step.descriptor.digest in self._bars:
            self._progress.remove_task(self._bars.pop(event.step.descriptor.digest))

    def _add(self, step: Step) -> TaskID:
        return self._progress.add_task(step.descriptor.digest.short, total=step.descriptor.size)


def _has_bars(app: App) -> bool:
    how = app.settings.get("progress")
    if how == "auto":
        return sys.stderr.isatty() and not app.settings.is_job
    return bool(how == "bar")


@contextmanager
def watching(app: App, *, quiet: bool) -> Iterator[Callable[[Observer], Observer]]:
    """Draw bars while transfers run, where a person sees them.

    Yields:
        Puts bars over what prints an image's lines; images that move at once share the screen.
    """
    if quiet or not _has_bars(app):
        yield lambda lines: lines
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    same = sys.stdout.isatty()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=same) as progress:
        yield lambda lines: BarObserver(progress, lines)
