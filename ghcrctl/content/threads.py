"""Threads that do several things at once, and are not waited for once one of them has failed.

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
    """Begin threads; wait for their end, unless the block is left by an exception.

    After Ctrl-C a thread may still wait for a silent host, for minutes.

    Args:
        count: how many there are at most.
        name: what they are called in a debugger.
    """
    pool = ThreadPoolExecutor(count, name)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
