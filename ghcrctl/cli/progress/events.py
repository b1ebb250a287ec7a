"""The form of events as JSON: ``docs/reference/schemas/progress.json`` describes it.

What belongs here: keys and values, which programs rely on. What does not: writing them.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.transfer.events import Failed, Finished, Planned, Progressed, Retrying
from ghcrctl.transfer.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.rate_limit_waits import Wait
    from ghcrctl.transfer.events import Event
    from ghcrctl.transfer.plan import Plan

    Document = dict[str, object]

# Seconds between two events of one thing's progress.
_EACH = 0.1


def described(event: Event, image: str) -> Document:
    """Write an event of an image; ``image`` is its name."""
    if isinstance(event, Planned):
        return {**_begun("planned"), "Image": image or None, **_planned(event.plan)}
    descriptor = event.step.descriptor
    document = {
        **_begun(type(event).__name__.lower()),
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
            document |= {"Delay": round(event.delay, 3), **_attempt(event)}
    return document


def _planned(plan: Plan) -> Document:
    return {
        "Digest": str(plan.root.digest),
        "MediaType": plan.root.media_type,
        "Size": plan.root.size,
        "Contents": len(plan.steps),
        "ContentsToMove": sum(step.action is Action.COPY for step in plan.steps),
        "BytesToMove": plan.bytes_to_move,
        "BytesThere": plan.bytes_there,
    }


def waiting(wait: Wait) -> Document:
    """Write that a wait begins."""
    return {
        **_begun("waiting"),
        "Reason": wait.reason,
        "ErrorCode": wait.code or None,
        "Delay": round(wait.seconds, 3),
        **_attempt(wait),
    }


def _attempt(event: Retrying | Wait) -> Document:
    return {"Attempt": event.attempt or None, "Attempts": event.attempts or None}


def counted(what: str, done: int, total: int | None, *, of_bytes: bool) -> Document:
    """Write how far something has come that is no content of an image."""
    unit = "bytes" if of_bytes else "items"
    return {**_begun("counted"), "What": what, "Done": done, "Total": total, "Unit": unit}


def _begun(kind: str) -> Document:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return {"Event": kind, "Time": now.replace("+00:00", "Z")}


class Throttle:
    """Lets some ten events of progress a second through for each piece of content, and all others.

    Args:
        clock: seconds, of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[object, float] = {}

    def lets(self, event: Event) -> bool:
        """Tell whether an event goes through."""
        if not isinstance(event, Progressed):
            return True
        return self._is_due(event.step.descriptor.digest)

    def lets_count(self, what: str, *, is_last: bool) -> bool:
        """Tell whether a count goes through."""
        return self._is_due(what) or is_last

    def _is_due(self, key: object) -> bool:
        now = self._clock()
        if now - self._last.get(key, float("-inf")) < _EACH:
            return False
        self._last[key] = now
        return True
