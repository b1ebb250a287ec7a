"""Threads that do several things at once, and are waited for unless the run is ended from outside.

What belongs here: beginning and leaving them. What does not: moving content, where nothing happens
twice (`ghcrctl.transfer.workers`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def threads(count: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Begin threads, and wait for their end: after a failure for what they have begun, no more.

    After Ctrl-C and its kind nobody waits, since a thread may be at a silent host for minutes.

    Args:
        count: how many there are at most.
        name: what they are called in a debugger.
    """
    pool = ThreadPoolExecutor(count, name)
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
