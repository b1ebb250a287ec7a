"""A counter of the bytes that a transfer moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.transfer.events import Finished, Outcome, Progressed, ignore

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event, Observer


class TransferMeter:
    """Counts what was transferred, and passes events on.

    Neither mounted content counts, nor bytes that an interrupted transfer had left, nor what
    another process or another image of the same act brought in meanwhile.

    Args:
        observer: gets every event.
    """

    def __init__(self, observer: Observer = ignore) -> None:
        self._observer = observer
        self._spans: dict[Digest, tuple[int, int]] = {}
        self.bytes = 0

    def __call__(self, event: Event) -> None:
        """Count what an event moved."""
        if isinstance(event, Progressed):
            digest, position = event.step.descriptor.digest, event.position
            first, last = self._spans.get(digest, (position, position))
            self._spans[digest] = (min(first, position), max(last, position))
        elif isinstance(event, Finished):
            first, last = self._spans.pop(event.step.descriptor.digest, (0, 0))
            if event.outcome is Outcome.COPIED:
                self.bytes += last - first
        self._observer(event)
