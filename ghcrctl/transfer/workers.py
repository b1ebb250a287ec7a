"""The threads that transfers share, and what they have done together.

What belongs here: how much happens at once, and that nothing happens twice. What does not: what
happens (``execute``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ghcrctl.content.thread_waits import wait_for
from ghcrctl.content.threads import ThreadPool
from ghcrctl.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

DEFAULT_JOBS = 12


class Workers:
    """The threads of one act, which may be the transfer of several images at once.

    Args:
        jobs: how many pieces of content move at once.
    """

    def __init__(self, jobs: int = DEFAULT_JOBS) -> None:
        self.jobs = jobs
        self._pool = ThreadPool(jobs, "transfer")
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
        self._pool.shutdown(cancel_futures=True)

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
            wait_for(other)
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
