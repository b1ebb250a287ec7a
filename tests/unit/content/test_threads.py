"""Threads are waited for, unless the block was left by an exception."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.threads import threads

if TYPE_CHECKING:
    from concurrent.futures import Future


def test_what_was_begun_is_done_at_the_end() -> None:
    done: list[int] = []
    with threads(2, "test") as pool:
        for number in range(8):
            pool.submit(done.append, number)
    assert sorted(done) == list(range(8))


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nobody_waits_after_an_exception_and_nothing_more_begins(
    error: type[BaseException],
) -> None:
    hold, done = threading.Event(), threading.Event()

    def silent() -> None:
        hold.wait(10)
        done.set()

    begun: list[Future[object]] = []

    def fail() -> None:
        with threads(1, "test") as pool:
            begun.extend((pool.submit(silent), pool.submit(int)))
            raise error

    with pytest.raises(error):
        fail()
    assert not done.is_set()
    assert begun[1].cancelled()
    hold.set()
    assert done.wait(10)
