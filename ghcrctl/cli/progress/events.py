"""Events as JSON documents, as described in ``docs/reference/schemas/progress.json``."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.transfer.events import Failed, Finished, Planned, Progressed, Retrying
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.wait_events import Wait
    from ghcrctl.transfer.events import Event
    from ghcrctl.transfer.plan import Plan

    Document = dict[str, object]

# Time between two progress events of one blob or counter.
_INTERVAL_SECONDS = 0.1


def event_document(event: Event, image: str) -> Document:
    """Return the document for an event of an image.

    Args:
        event: the event.
        image: the name of the image.
    """
    if isinstance(event, Planned):
        return {**_header("planned"), "Image": image or None, **_plan_fields(event.plan)}
    descriptor = event.step.descriptor
    document = {
        **_header(type(event).__name__.lower()),
        "Image": image or None,
        "Digest": str(descriptor.digest),
        "MediaType": descriptor.media_type,
        "Size": descriptor.size,
        "IsLayer": event.step.is_layer,
    }
    if isinstance(event, Progressed):
        document |= {"Position": event.position}
    elif isinstance(event, Finished):
        document |= {"Outcome": event.outcome.value, "MountedFrom": event.mounted_from or None}
    elif isinstance(event, Retrying | Failed):
        document |= {"ErrorCode": event.error.code, "Reason": str(event.error)}
        if isinstance(event, Retrying):
            document |= {"Delay": round(event.delay, 3), **_attempt_fields(event)}
    return document


def _plan_fields(plan: Plan) -> Document:
    return {
        "Digest": str(plan.root.digest),
        "MediaType": plan.root.media_type,
        "Size": plan.root.size,
        "Contents": len(plan.steps),
        "ContentsToMove": sum(step.action is Action.COPY for step in plan.steps),
        "BytesToMove": plan.bytes_to_move,
        "BytesThere": plan.bytes_present,
    }


def wait_document(wait: Wait) -> Document:
    """Return the document for a wait that begins."""
    return {
        **_header("waiting"),
        "Reason": wait.reason,
        "ErrorCode": wait.code or None,
        "Delay": round(wait.seconds, 3),
        **_attempt_fields(wait),
    }


def _attempt_fields(event: Retrying | Wait) -> Document:
    return {"Attempt": event.attempt or None, "Attempts": event.attempts or None}


def count_document(label: str, done: int, total: int | None, *, of_bytes: bool) -> Document:
    """Return the document for a counter that is not image content."""
    unit = "bytes" if of_bytes else "items"
    return {**_header("counted"), "What": label, "Done": done, "Total": total, "Unit": unit}


def _header(kind: str) -> Document:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return {"Event": kind, "Time": now.replace("+00:00", "Z")}


class Throttle:
    """A filter that limits progress events to about ten per second and blob; it passes all others.

    Args:
        clock: a monotonic clock (seconds).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[object, float] = {}

    def allows(self, event: Event) -> bool:
        """Check whether to write an event."""
        if not isinstance(event, Progressed):
            return True
        return self._is_due(event.step.descriptor.digest)

    def allows_count(self, label: str, *, is_last: bool) -> bool:
        """Check whether to write the state of a counter."""
        return self._is_due(label) or is_last

    def _is_due(self, key: object) -> bool:
        now = self._clock()
        if now - self._last.get(key, float("-inf")) < _INTERVAL_SECONDS:
            return False
        self._last[key] = now
        return True
