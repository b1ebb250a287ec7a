"""The worker threads that concurrent transfers share."""

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
    """A thread pool for one or more transfers, which copies each digest once.

    Args:
        jobs: maximum number of concurrent transfers of blobs or manifests.
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
        # After an error, do not wait for threads: one may be waiting for an unresponsive host, and
        # its work has no visible effect.
        self._pool.shutdown(wait=error is None, cancel_futures=error is not None)

    def stop(self) -> None:
        """Cancel all calls and wait for running ones; only for local sources, which never hang."""
        self._cancelled.set()
        self._pool.shutdown(cancel_futures=True)

    def submit(self, act: Callable[[], None]) -> Future[None]:
        """Call a function as soon as a thread is free."""
        return self._pool.submit(act)

    def check(self) -> None:
        """Check whether the transfers were cancelled.

        Raises:
            InterruptedByUserError: they were cancelled.
        """
        if self._cancelled.is_set():
            raise InterruptedByUserError("interrupted")

    def run_once(self, key: Hashable, act: Callable[[], None]) -> bool:
        """Call a function once per key; if another thread is calling it, wait for that call.

        Returns:
            Whether this thread called the function.
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
        """Claim a key; return the event of another thread's claim, or ``None`` on success."""
        with self._lock:
            if key in self._done:
                return _DONE
            other = self._busy.get(key)
            if other is None:
                self._busy[key] = mine
            return other


_DONE = threading.Event()
