"""What a person sees of a transfer: docker's lines; bars are beside them (``bars``).

What belongs here: observers of the engine's events that print results. Lines go to stdout, retries
to stderr.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ghcrctl.cli.format.units import human_size
from ghcrctl.content.rate_limit_waits import attempt_note
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
    """Prints a line for each layer that is done.

    Args:
        out: prints a line.
        warn: prints a warning.
        words: how each outcome is said.
        header: the line before the first layer, printed when it is known what will move.
        quiet: print nothing.
        always: name layers even where nothing has to move.
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
            note = attempt_note(event.attempt, event.attempts)
            then = f"retrying in {event.delay:.1f} s{note}" if event.delay else "fetching it again"
            self._warn(f"{short}: {event.error}; {then}")


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
        self._out(self._header)
        for step in event.plan.steps:
            if step.is_layer:
                self._out(f"{step.descriptor.digest.short}: {self._words(step)}")
        plan = event.plan
        moved, there = human_size(plan.bytes_to_move), human_size(plan.bytes_there)
        mounted = f" and mount {human_size(plan.bytes_to_mount)}" if plan.bytes_to_mount else ""
        self._out(f"Would {self._verb} {moved}{mounted}; {there} are there already")

    def _words(self, step: Step) -> str:
        if step.mount_from:
            return f"Would mount from {step.mount_from[0]}"
        words = {Action.EXISTS: "Already exists", Action.SKIP: "Skipped foreign layer"}
        return words.get(step.action, f"Would {self._verb} {human_size(step.bytes_to_move)}")


class Watch(Protocol):
    """Puts the display over what prints an image's lines."""

    def __call__(self, lines: Observer, image: str = "") -> Observer:
        """Return what watches both; ``image``: its name, where its plan does not say it."""
        ...


@contextmanager
def watching(display: Display, *, quiet: bool) -> Iterator[Watch]:
    """Show what moves, as the setting ``progress`` says.

    Args:
        display: shows the progress of this run.
        quiet: show nothing to people; programs that asked for events get them.

    Yields:
        Gives each event of an image to the display too, and to what prints the image's lines.
    """
    if quiet and not display.is_for_programs:
        yield lambda lines, image="": lines  # noqa: ARG005 the same for all displays
        return
    with display.moving():
        yield lambda lines, image="": _both(display, image, lines)


def _both(display: Display, image: str, lines: Observer) -> Observer:
    show = display.image(image)

    def observe(event: Event) -> None:
        # The line of a layer that is done takes the place of its bar.
        show(event)
        if not (display.shows_retries and isinstance(event, Retrying)):
            lines(event)

    return observe
