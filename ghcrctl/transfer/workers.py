"""The threads that transfers share, and what they have done together.

What belongs here: how much happens at once, and that nothing happens twice. What does not: what
happens (``execute``).
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from ghcrctl.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from types import TracebackType

    from typing_extensions import Self

DEFAULT_JOBS = 12
# Seconds between two looks at what threads do. Elsewhere Ctrl-C ends any waiting; on Windows it is
# noticed once the waiting has ended.
LOOK = 0.5 if os.name == "nt" else None
T = TypeVar("T")


def outcome_of(future: Future[T]) -> T:
    """Wait for what another thread does, so that Ctrl-C ends the waiting on every system."""
    while not future.done():
        wait([future], timeout=LOOK)
    return future.result()


def wait_for_all(futures: Sequence[Future[None]]) -> None:
    """Wait until all are done, or one has failed; Ctrl-C ends it on every system."""
    while not all(future.done() for future in futures):
        if any(future.done() and _has_failed(future) for future in futures):
            return
        wait(futures, timeout=LOOK, return_when=FIRST_EXCEPTION)


def _has_failed(future: Future[None]) -> bool:
    return not future.cancelled() and future.exception() is not None


class Workers:
    """The threads of one act, which may be the transfer of several images at once.

    Args:
        jobs: how many pieces of content move at once.
    """

    def __init__(self, jobs: int = DEFAULT_JOBS) -> None:
        self.jobs = jobs
        self._pool = ThreadPoolExecutor(jobs, "transfer")
        self._cancelled = threading.Event()
        self._done: set[Hashable] = set()
        self._busy: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._cancelled.set()
        # After a failure a thread that waits for a silent host is not waited for: nothing that it
        # does becomes visible.
        self._pool.shutdown(wait=error is None, cancel_futures=error is not None)

    def settle(self) -> None:
        """Stop everything, and wait until it has stopped: where all sources are at hand."""
        self._cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, act: Callable[[], None]) -> Future[None]:
        """Begin an act as soon as a thread is free."""
        return self._pool.submit(act)

    def check(self) -> None:
        """Stop the thread that asks, where the whole act is to stop.

        Raises:
            InterruptedByUserError: it is.
        """
        if self._cancelled.is_set():
            raise InterruptedByUserError("interrupted")

    def once(self, key: Hashable, act: Callable[[], None]) -> bool:
        """Do what was not done yet; where another thread is at it, wait for that.

        Returns:
            Whether it was done now, and by this thread.
        """
        mine = threading.Event()
        while other := self._claim(key, mine):
            if other is _DONE:
                return False
            other.wait()
            self.check()
        try:
            act()
            self._done.add(key)
        finally:
            del self._busy[key]
            mine.set()
        return True

    def _claim(self, key: Hashable, mine: threading.Event) -> threading.Event | None:
        """Return what to wait for; ``None`` where there is nothing, and the claim is made."""
        with self._lock:
            if key in self._done:
                return _DONE
            other = self._busy.get(key)
            if other is None:
                self._busy[key] = mine
            return other


_DONE = threading.Event()
