"""Threads that do several things at once, and are waited for unless the run is ended from outside.

What belongs here: beginning and leaving them. What does not: moving content, where nothing happens
twice (`ghcrctl.transfer.workers`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ghcrctl.content.thread_waits import join, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")


class ThreadPool(ThreadPoolExecutor):
    """A pool of threads; Ctrl-C interrupts all waits for them, on Windows too."""

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,  # noqa: ARG002 as the base class has it
        chunksize: int = 1,  # noqa: ARG002 only for processes
        **_: Any,
    ) -> Iterator[T]:
        """Start calls, and yield their results in order; leaving early starts no more calls."""
        futures = [self.submit(fn, *items) for items in zip(*iterables, strict=False)]
        return _in_order(futures)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 as the base class has it
        """Start no more calls, and wait for those that were started."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            for thread in tuple(self._threads):
                join(thread)


def _in_order(futures: list[Future[T]]) -> Iterator[T]:
    try:
        for future in futures:
            yield outcome_of(future)
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def threads(count: int, name: str) -> Iterator[ThreadPool]:
    """Begin threads, and wait for their end: after a failure for what they have begun, no more.

    After Ctrl-C and its kind nobody waits, since a thread may be at a silent host for minutes.

    Args:
        count: how many there are at most.
        name: what they are called in a debugger.
    """
    pool = ThreadPool(count, name)
    try:
        yield pool
    except Exception:
        # Nothing goes on behind the back of whoever handles the failure.
        pool.shutdown(cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
