"""Thread pools that Ctrl-C can interrupt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ghcrctl.content.thread_waits import join, wait_for_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")


class ThreadPool(ThreadPoolExecutor):
    """A thread pool whose waits can be interrupted by Ctrl-C, on Windows too."""

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,  # noqa: ARG002 as the base class has it
        chunksize: int = 1,  # noqa: ARG002 only for processes
        **_: Any,
    ) -> Iterator[T]:
        """Call a function for each item and yield the results in order.

        If the iteration stops early, pending calls are cancelled.
        """
        futures = [self.submit(fn, *items) for items in zip(*iterables, strict=False)]
        return _in_order(futures)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 as the base class has it
        """Reject new calls and wait for those that were submitted."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            for thread in tuple(self._threads):
                join(thread)


def _in_order(futures: list[Future[T]]) -> Iterator[T]:
    try:
        for future in futures:
            yield wait_for_result(future)
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def thread_pool(count: int, name: str) -> Iterator[ThreadPool]:
    """Yield a thread pool, and wait for its calls at the end.

    After an error, pending calls are cancelled, and this waits for running ones. After Ctrl-C, this
    does not wait, because a thread may be blocked by an unresponsive host for minutes.

    Args:
        count: maximum number of threads.
        name: prefix of the thread names.
    """
    pool = ThreadPool(count, name)
    try:
        yield pool
    except Exception:
        # No call may still be running when the caller handles the error.
        pool.shutdown(cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
