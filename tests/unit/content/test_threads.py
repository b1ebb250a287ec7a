"""Thread pools wait for their calls except after Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.threads import thread_pool

if TYPE_CHECKING:
    from concurrent.futures import Future


def test_submitted_calls_are_done_at_the_end() -> None:
    done: list[int] = []
    with thread_pool(2, "test") as pool:
        for number in range(8):
            pool.submit(done.append, number)
    assert sorted(done) == list(range(8))


class Begun:
    """A block with a running call, a pending call and then an exception."""

    def __init__(self, error: type[BaseException], *, seconds: float) -> None:
        self.hold, self.done = threading.Event(), threading.Event()
        self.futures: list[Future[object]] = []
        with pytest.raises(error):
            self._fail(error, seconds)

    def _fail(self, error: type[BaseException], seconds: float) -> None:
        def slow() -> None:
            self.hold.wait(seconds)
            self.done.set()

        with thread_pool(1, "test") as pool:
            self.futures += [pool.submit(slow), pool.submit(int)]
            raise error


def test_no_call_runs_after_an_error() -> None:
    block = Begun(ValueError, seconds=0.2)
    assert block.done.is_set()
    assert block.futures[1].cancelled()


def test_ctrl_c_neither_waits_nor_starts_calls() -> None:
    block = Begun(KeyboardInterrupt, seconds=10)
    assert not block.done.is_set()
    assert block.futures[1].cancelled()
    block.hold.set()
    assert block.done.wait(10)
