"""Several images in one act: at once, each reported on its own, in the order they were given.

What belongs here: the threads of the images. What does not: the threads of their content
(``transfer.workers``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.workers import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def several(
    session: Session, act: Callable[[Item, Workers], Result], items: Sequence[Item]
) -> Iterator[list[Future[Result]]]:
    """Do something for several images at once; content that they share moves once.

    One that fails does not stop the others. Whoever leaves the block early stops all.

    Args:
        session: the run.
        act: what is done for each.
        items: the images.

    Yields:
        What becomes of each, in the same order.
    """
    with session.workers() as workers:
        pool = ThreadPoolExecutor(min(session.jobs, max(len(items), 1)), "image")
        try:
            yield [pool.submit(partial(act, item, workers)) for item in items]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
