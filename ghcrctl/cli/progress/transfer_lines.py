"""Print docker's line for each layer. Lines go to standard output, retries to standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ghcrctl.cli.format.units import human_size
from ghcrctl.content.wait_events import attempt_note
from ghcrctl.transfer.events import Finished, Outcome, Planned, Retrying
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ghcrctl.cli.progress.displays import Display
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
    """An observer that prints a line for each layer that is done.

    Args:
        out: prints a line.
        warn: prints a warning.
        words: the text for each outcome.
        header: the line before the first layer, printed when the plan is known.
        quiet: print nothing.
        always: print layers even if the image is up to date.
    """

    def __init__(
        self,
        out: Callable[[str], None],
        warn: Callable[[str], None],
        words: Mapping[Outcome, str],
        header: str,
        *,
        quiet: bool = False,
        always: bool = False,
    ) -> None:
        self._out = out
        self._warn = warn
        self._words = words
        self._header = header
        self._quiet = quiet
        self._always = always
        self._silent = quiet

    def __call__(self, event: Event) -> None:
        """Print the lines for an event."""
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
            note = attempt_note(event.attempt, event.attempts)
            action = (
                f"retrying in {event.delay:.1f} s{note}" if event.delay else "fetching it again"
            )
            self._warn(f"{short}: {event.error}; {action}")


class PlanObserver:
    """An observer that prints a plan, for dry runs.

    Args:
        out: prints a line.
        header: the first line.
        verb: what a transfer does with missing content: ``download``.
    """

    def __init__(self, out: Callable[[str], None], header: str, verb: str) -> None:
        self._out = out
        self._header = header
        self._verb = verb

    def __call__(self, event: Event) -> None:
        """Print a plan."""
        if not isinstance(event, Planned):
            return
        self._out(self._header)
        for step in event.plan.steps:
            if step.is_layer:
                self._out(f"{step.descriptor.digest.short}: {self._words(step)}")
        plan = event.plan
        missing, present = human_size(plan.bytes_to_move), human_size(plan.bytes_present)
        mounted = f" and mount {human_size(plan.bytes_to_mount)}" if plan.bytes_to_mount else ""
        self._out(f"Would {self._verb} {missing}{mounted}; {present} already exist")

    def _words(self, step: Step) -> str:
        if step.mount_from:
            return f"Would mount from {step.mount_from[0]}"
        words = {Action.EXISTS: "Already exists", Action.SKIP: "Skipped foreign layer"}
        return words.get(step.action, f"Would {self._verb} {human_size(step.bytes_to_move)}")


class Watch(Protocol):
    """A function that adds the progress display to an observer."""

    def __call__(self, lines: Observer, image: str = "") -> Observer:
        """Return an observer that passes events to the display and to ``lines``.

        Args:
            lines: prints the lines of an image.
            image: the name of the image, if its plan does not contain it.
        """
        ...


@contextmanager
def show_transfers(display: Display, *, quiet: bool) -> Iterator[Watch]:
    """Show the progress of transfers.

    Args:
        display: the display of the run.
        quiet: show nothing, except to programs that requested JSON events.

    Yields:
        A function that adds the display to an observer.
    """
    if quiet and not display.is_machine_readable:
        yield lambda lines, image="": lines  # noqa: ARG005 has the same parameters
        return
    with display.active():
        yield lambda lines, image="": _both(display, image, lines)


def _both(display: Display, image: str, lines: Observer) -> Observer:
    show = display.image_observer(image)

    def observe(event: Event) -> None:
        # Remove the bar of a finished layer before its line is printed.
        show(event)
        if not (display.shows_retries and isinstance(event, Retrying)):
            lines(event)

    return observe
