"""Several images in one act: at once, each reported on its own, in the order they were given.

What belongs here: the threads of the images. What does not: the threads of their content
(``transfer.workers``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from ghcrctl.content.thread_waits import outcome_of
from ghcrctl.content.threads import ThreadPool
from ghcrctl.errors import GhcrctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.workers import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Item, Result]):
    """What became of one of several.

    Args:
        item: what it was done for.
        result: what came of it; ``None`` where it failed.
        error: why it failed.
    """

    item: Item
    result: Result | None = None
    error: GhcrctlError | None = None

    def get(self) -> Result:
        """Return the result.

        Raises:
            GhcrctlError: it failed.
        """
        if self.error:
            raise self.error
        return cast(Result, self.result)


def attempt_all(
    session: Session, act: Callable[[Item, Workers], Result], items: Sequence[Item]
) -> list[Attempt[Item, Result]]:
    """Do something for several images at once, and wait for all.

    Args:
        session: the run.
        act: what is done for each.
        items: the images.

    Returns:
        What became of each, in the same order.
    """
    with several(session, act, items) as futures:
        return [_attempt(item, future) for item, future in zip(items, futures, strict=True)]


def _attempt(item: Item, future: Future[Result]) -> Attempt[Item, Result]:
    try:
        return Attempt(item, outcome_of(future))
    except GhcrctlError as error:
        return Attempt(item, error=error)


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
        pool = ThreadPool(min(session.jobs, max(len(items), 1)), "image")
        try:
            yield [pool.submit(partial(act, item, workers)) for item in items]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
