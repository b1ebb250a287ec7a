"""A counter of transferred bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.transfer.events import Finished, Outcome, Progressed, ignore

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event, Observer


class TransferMeter:
    """An observer that counts transferred bytes and passes events on.

    Mounted content, bytes kept from an interrupted transfer, and content that another process or
    another plan transferred in the meantime do not count.

    Args:
        observer: observer to pass every event to.
    """

    def __init__(self, observer: Observer = ignore) -> None:
        self._observer = observer
        self._spans: dict[Digest, tuple[int, int]] = {}
        self.bytes = 0

    def __call__(self, event: Event) -> None:
        """Count the bytes of an event."""
        if isinstance(event, Progressed):
            digest, position = event.step.descriptor.digest, event.position
            first, last = self._spans.get(digest, (position, position))
            self._spans[digest] = (min(first, position), max(last, position))
        elif isinstance(event, Finished):
            first, last = self._spans.pop(event.step.descriptor.digest, (0, 0))
            if event.outcome is Outcome.COPIED:
                self.bytes += last - first
        self._observer(event)
