"""Run an operation for multiple images in parallel and collect each result or error."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from ghcrctl.content.thread_waits import wait_for_result
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
    """The result or the error of one item of a batch.

    Args:
        item: the item.
        result: the result; ``None`` if the item failed.
        error: why the item failed; ``None`` if it succeeded.
    """

    item: Item
    result: Result | None = None
    error: GhcrctlError | None = None

    def get(self) -> Result:
        """Return the result.

        Raises:
            GhcrctlError: the item failed.
        """
        if self.error:
            raise self.error
        return cast(Result, self.result)


def attempt_all(
    session: Session, act: Callable[[Item, Workers], Result], items: Sequence[Item]
) -> list[Attempt[Item, Result]]:
    """Run an operation for multiple items in parallel and wait for all of them.

    Args:
        session: the run.
        act: the operation for one item.
        items: the items.

    Returns:
        One attempt per item, in the order of the items.
    """
    with submit_all(session, act, items) as futures:
        return [_attempt(item, future) for item, future in zip(items, futures, strict=True)]


def _attempt(item: Item, future: Future[Result]) -> Attempt[Item, Result]:
    try:
        return Attempt(item, wait_for_result(future))
    except GhcrctlError as error:
        return Attempt(item, error=error)


@contextmanager
def submit_all(
    session: Session, act: Callable[[Item, Workers], Result], items: Sequence[Item]
) -> Iterator[list[Future[Result]]]:
    """Submit an operation for multiple items; content that they share is transferred once.

    A failed item does not stop the others. Leaving the block early cancels the rest.

    Args:
        session: the run.
        act: the operation for one item.
        items: the items.

    Yields:
        One future per item, in the order of the items.
    """
    with session.workers() as workers:
        pool = ThreadPool(min(session.jobs, max(len(items), 1)), "image")
        try:
            yield [pool.submit(partial(act, item, workers)) for item in items]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
