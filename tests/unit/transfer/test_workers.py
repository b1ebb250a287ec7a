"""Worker threads shared by transfers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ghcrctl.errors import GhcrctlError, InterruptedByUserError
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers
from tests.builders import index_of, random_image
from tests.unit.transfer.places import RecordingSink, source_of


def test_one_thread_does_shared_work_while_others_wait() -> None:
    done: list[int] = []
    started = threading.Barrier(8, timeout=20)

    def act(number: int) -> bool:
        started.wait()
        return workers.run_once("content", lambda: done.append(number))

    with Workers(8) as workers, ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(8))) == [False] * 7 + [True]
    assert len(done) == 1


def test_failed_work_is_tried_by_the_next_thread() -> None:
    def fail() -> None:
        raise GhcrctlError("broken")

    with Workers() as workers:
        with pytest.raises(GhcrctlError, match="broken"):
            workers.run_once("content", fail)
        assert workers.run_once("content", lambda: None)
        assert not workers.run_once("content", fail)


def test_error_in_the_block_stops_all_threads() -> None:
    workers = Workers()
    workers.check()
    with pytest.raises(KeyError), workers:
        raise KeyError
    with pytest.raises(InterruptedByUserError):
        workers.check()


def test_concurrent_plans_copy_shared_blobs_once() -> None:
    images = [random_image(3, seed=1), random_image(3, seed=2)]
    both = index_of(*images)
    source, sink = source_of(both), RecordingSink()
    roots = [both.root, *(image.root for image in images)]
    plans = [make_plan(source, sink, root, names=(f"n{n}",)) for n, root in enumerate(roots)]
    with Workers(4) as workers, ThreadPoolExecutor(3) as pool:
        options = TransferOptions(workers)
        for moved in [pool.submit(execute, plan, options) for plan in plans]:
            moved.result(timeout=20)
    written = sink.acts("write")
    blobs = [descriptor.digest for descriptor, _ in both.blobs]
    assert [written.count(digest) for digest in blobs] == [1] * len(blobs)
    assert {name: sink.resolve(name) for name in ("n0", "n1", "n2")} == {
        f"n{number}": root for number, root in enumerate(roots)
    }


def test_waiting_thread_tries_work_that_failed() -> None:
    started, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def fail() -> None:
        started.set()
        assert go_on.wait(30)
        raise GhcrctlError("broken")

    with Workers() as workers, ThreadPoolExecutor(2) as pool:
        first = pool.submit(workers.run_once, "content", fail)
        assert started.wait(30)
        second = pool.submit(workers.run_once, "content", lambda: done.append("second"))
        go_on.set()
        with pytest.raises(GhcrctlError, match="broken"):
            first.result(30)
        assert second.result(30)
    assert done == ["second"]


def test_stop_ends_waits_for_other_threads() -> None:
    started, go_on = threading.Event(), threading.Event()
    workers = Workers()

    def act() -> None:
        started.set()
        assert go_on.wait(30)
        workers._cancelled.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(workers.run_once, "content", act)
        assert started.wait(30)
        second = pool.submit(workers.run_once, "content", lambda: None)
        go_on.set()
        assert first.result(30)
        # The thread has seen either the end of the first call or the stop.
        assert second.exception(30) is None or isinstance(
            second.exception(), InterruptedByUserError
        )
    workers.stop()


def test_error_cancels_pending_work_without_waiting() -> None:
    started, go_on, ran = threading.Event(), threading.Event(), threading.Event()

    def act() -> None:
        started.set()
        go_on.wait(30)

    workers = Workers(1)
    busy, waiting = workers.submit(act), workers.submit(ran.set)
    assert started.wait(30)
    with pytest.raises(KeyError), workers:
        raise KeyError
    assert not busy.done()
    assert waiting.cancelled()
    go_on.set()
    busy.result(30)
    assert not ran.is_set()


def test_all_work_is_waited_for_without_an_error() -> None:
    ran: list[int] = []
    with Workers(1) as workers:
        for number in range(3):
            workers.submit(lambda number=number: ran.append(number))  # type: ignore[misc]
    assert ran == [0, 1, 2]
    workers.check()


def test_stop_waits_for_running_work() -> None:
    started, ended = threading.Event(), threading.Event()

    def act() -> None:
        started.set()
        while True:
            try:
                workers.check()
            except InterruptedByUserError:
                ended.set()
                return

    workers = Workers(1)
    workers.submit(act)
    waiting = workers.submit(lambda: None)
    assert started.wait(30)
    workers.stop()
    assert ended.is_set()
    assert waiting.cancelled()
