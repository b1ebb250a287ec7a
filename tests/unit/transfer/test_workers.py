"""What transfers share: threads, and that nothing happens twice."""

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


def test_of_many_that_want_the_same_one_does_it_and_the_others_wait() -> None:
    done: list[int] = []
    begun = threading.Barrier(8, timeout=20)

    def act(number: int) -> bool:
        begun.wait()
        return workers.once("content", lambda: done.append(number))

    with Workers(8) as workers, ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(act, range(8))) == [False] * 7 + [True]
    assert len(done) == 1


def test_what_failed_for_one_is_tried_by_the_next() -> None:
    def fail() -> None:
        raise GhcrctlError("broken")

    with Workers() as workers:
        with pytest.raises(GhcrctlError, match="broken"):
            workers.once("content", fail)
        assert workers.once("content", lambda: None)
        assert not workers.once("content", fail)


def test_whoever_leaves_early_stops_all() -> None:
    workers = Workers()
    workers.check()
    with pytest.raises(KeyError), workers:
        raise KeyError
    with pytest.raises(InterruptedByUserError):
        workers.check()


def test_images_that_move_at_once_move_what_they_share_once() -> None:
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


def test_what_is_waited_for_and_fails_is_tried_by_one_that_waited() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def fail() -> None:
        begun.set()
        assert go_on.wait(30)
        raise GhcrctlError("broken")

    with Workers() as workers, ThreadPoolExecutor(2) as pool:
        first = pool.submit(workers.once, "content", fail)
        assert begun.wait(30)
        second = pool.submit(workers.once, "content", lambda: done.append("second"))
        go_on.set()
        with pytest.raises(GhcrctlError, match="broken"):
            first.result(30)
        assert second.result(30)
    assert done == ["second"]


def test_a_wait_for_another_ends_where_all_is_stopped() -> None:
    begun, go_on = threading.Event(), threading.Event()
    workers = Workers()

    def act() -> None:
        begun.set()
        assert go_on.wait(30)
        workers._cancelled.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(workers.once, "content", act)
        assert begun.wait(30)
        second = pool.submit(workers.once, "content", lambda: None)
        go_on.set()
        assert first.result(30)
        # Either it saw that the first one was done, or that all is to stop.
        assert second.exception(30) is None or isinstance(
            second.exception(), InterruptedByUserError
        )
    workers.settle()


def test_what_is_left_after_a_failure_is_not_begun_and_not_waited_for() -> None:
    begun, go_on, ran = threading.Event(), threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        go_on.wait(30)

    workers = Workers(1)
    busy, waiting = workers.submit(act), workers.submit(ran.set)
    assert begun.wait(30)
    with pytest.raises(KeyError), workers:
        raise KeyError
    assert not busy.done()
    assert waiting.cancelled()
    go_on.set()
    busy.result(30)
    assert not ran.is_set()


def test_without_a_failure_everything_is_waited_for() -> None:
    ran: list[int] = []
    with Workers(1) as workers:
        for number in range(3):
            workers.submit(lambda number=number: ran.append(number))  # type: ignore[misc]
    assert ran == [0, 1, 2]
    workers.check()


def test_settling_waits_for_what_was_begun() -> None:
    begun, ended = threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        while True:
            try:
                workers.check()
            except InterruptedByUserError:
                ended.set()
                return

    workers = Workers(1)
    workers.submit(act)
    waiting = workers.submit(lambda: None)
    assert begun.wait(30)
    workers.settle()
    assert ended.is_set()
    assert waiting.cancelled()
