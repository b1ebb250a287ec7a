"""Functions that wait for other threads and can be interrupted by Ctrl-C on every system.

Before Python 3.14, the main thread on Windows cannot be interrupted while it waits for a lock
without a timeout. All waits therefore use this module, which waits in short steps there.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    import queue
    import threading
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

T = TypeVar("T")


def step_seconds(platform: str, version: tuple[int, int]) -> float | None:
    """Return the longest single wait on a system (seconds), or ``None`` for no limit."""
    return 0.1 if platform == "win32" and version < (3, 14) else None


STEP_SECONDS: Final[float | None] = step_seconds(sys.platform, sys.version_info[:2])


def wait_for_result(future: Future[T]) -> T:
    """Wait for a future; return its result or raise its exception."""
    from concurrent.futures import wait

    while not future.done():
        wait([future], timeout=STEP_SECONDS)
    return future.result()


def wait_for_all(futures: Sequence[Future[None]]) -> None:
    """Wait until all futures are done or one has failed."""
    from concurrent.futures import FIRST_EXCEPTION, wait

    while not all(future.done() for future in futures):
        if any(future.done() and _has_failed(future) for future in futures):
            return
        wait(futures, timeout=STEP_SECONDS, return_when=FIRST_EXCEPTION)


def _has_failed(future: Future[None]) -> bool:
    return not future.cancelled() and future.exception() is not None


def wait_for(event: threading.Event, seconds: float | None = None) -> bool:
    """Wait for an event.

    Args:
        event: event that another thread sets.
        seconds: timeout; ``None`` for no limit (seconds).

    Returns:
        Whether the event is set.
    """
    end = None if seconds is None else time.monotonic() + seconds
    while not event.wait(_step(end)):
        if end is not None and time.monotonic() >= end:
            return False
    return True


def wait_until(condition: threading.Condition, is_true: Callable[[], bool]) -> None:
    """Wait until a predicate is true; the caller holds the condition's lock."""
    while not condition.wait_for(is_true, STEP_SECONDS):
        pass


def join(thread: threading.Thread, seconds: float | None = None) -> None:
    """Wait until a thread has ended or a timeout has expired."""
    end = None if seconds is None else time.monotonic() + seconds
    while thread.is_alive() and (end is None or time.monotonic() < end):
        thread.join(_step(end))


def take_from(items: queue.Queue[T]) -> T:
    """Remove and return the next item of a queue; wait if the queue is empty."""
    from queue import Empty

    while True:
        try:
            return items.get(timeout=STEP_SECONDS)
        except Empty:
            continue


def _step(end: float | None) -> float | None:
    """Return the length of the next wait (seconds)."""
    if end is None:
        return STEP_SECONDS
    left = max(0.0, end - time.monotonic())
    return left if STEP_SECONDS is None else min(left, STEP_SECONDS)
