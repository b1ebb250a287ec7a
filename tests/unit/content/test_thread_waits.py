"""Waits for threads use short steps on systems where Ctrl-C does not interrupt a long one."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from ghcrctl.content import thread_waits
from ghcrctl.content.read_ahead import read_ahead
from ghcrctl.content.thread_waits import (
    join,
    take_from,
    wait_for,
    wait_for_all,
    wait_for_result,
    wait_until,
)
from ghcrctl.content.threads import ThreadPool, thread_pool
from ghcrctl.layers.compression import Compression
from ghcrctl.layers.compressor import BLOCK_SIZE, make_compressor
from ghcrctl.transfer.workers import Workers

STEP = 0.01
# Closing a read-ahead stream waits this long at once, in seconds.
AHEAD = 0.05


Act = Callable[[], object]


@pytest.fixture(name="acts")
def _acts() -> list[Act]:
    """Return a list of calls that another thread makes after the main thread has waited twice."""
    return []


@pytest.fixture(name="limits", autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch, acts: list[Act]) -> list[float | None]:
    """Use short steps as on Windows, and record the timeouts of the main thread's waits."""
    limits: list[float | None] = []

    starting: list[threading.Thread] = []
    start = threading.Thread.start

    def note_start(thread: threading.Thread) -> None:
        # Python itself waits for a new thread to start, which is short.
        starting.append(thread)
        start(thread)
        starting.pop()

    def noting(wait: Callable[..., Any]) -> Callable[..., Any]:
        def note(owner: Any, timeout: float | None = None) -> Any:
            if threading.current_thread() is threading.main_thread() and not starting:
                limits.append(timeout)
                if acts and len(limits) > 2:
                    threading.Thread(target=acts.pop()).start()
            return wait(owner, timeout)

        return note

    monkeypatch.setattr(thread_waits, "STEP_SECONDS", STEP)
    monkeypatch.setattr(threading.Thread, "start", note_start)
    monkeypatch.setattr(threading.Condition, "wait", noting(threading.Condition.wait))
    monkeypatch.setattr(threading.Thread, "join", noting(threading.Thread.join))
    return limits


def assert_short(limits: list[float | None]) -> None:
    assert limits
    assert all(limit is not None and limit <= STEP for limit in limits)


@pytest.mark.parametrize(
    ("platform", "version", "seconds"),
    [
        ("win32", (3, 10), 0.1),
        ("win32", (3, 13), 0.1),
        ("win32", (3, 14), None),
        ("win32", (3, 15), None),
        ("linux", (3, 10), None),
        ("darwin", (3, 13), None),
    ],
)
def test_only_older_pythons_on_windows_need_steps(
    platform: str, version: tuple[int, int], seconds: float | None
) -> None:
    assert thread_waits.step_seconds(platform, version) == seconds


def test_outcome(limits: list[float | None], acts: list[Act]) -> None:
    future: Future[int] = Future()
    acts.append(lambda: future.set_result(7))
    assert wait_for_result(future) == 7
    assert_short(limits)


def test_timeout_error_of_the_call_is_its_outcome() -> None:
    future: Future[int] = Future()
    future.set_exception(TimeoutError("of a host"))
    with pytest.raises(TimeoutError, match="of a host"):
        wait_for_result(future)


def test_wait_for_all_and_the_first_failure(limits: list[float | None], acts: list[Act]) -> None:
    done: Future[None] = Future()
    done.set_result(None)
    wait_for_all([done])
    assert not limits
    open_, failing, cancelled = Future[None](), Future[None](), Future[None]()
    cancelled.cancel()
    acts.append(lambda: failing.set_exception(ValueError()))
    wait_for_all([cancelled, open_, failing])
    assert failing.done()
    assert not open_.done()
    assert_short(limits)


def test_wait_for_event(limits: list[float | None], acts: list[Act]) -> None:
    event = threading.Event()
    acts.append(event.set)
    assert wait_for(event)
    assert_short(limits)


def test_wait_for_condition(limits: list[float | None], acts: list[Act]) -> None:
    condition, done = threading.Condition(), threading.Event()
    acts.append(done.set)
    with condition:
        wait_until(condition, done.is_set)
    assert_short(limits)


@pytest.mark.parametrize("step", [STEP, None])
def test_wait_for_event_times_out(monkeypatch: pytest.MonkeyPatch, step: float | None) -> None:
    monkeypatch.setattr(thread_waits, "STEP_SECONDS", step)
    began = time.monotonic()
    assert not wait_for(threading.Event(), 3 * STEP)
    assert time.monotonic() - began >= 3 * STEP
    event = threading.Event()
    event.set()
    assert wait_for(event, 0)


def test_join_thread(limits: list[float | None], acts: list[Act]) -> None:
    hold = threading.Event()
    thread = threading.Thread(target=hold.wait, args=(20,))
    thread.start()
    acts.append(hold.set)
    join(thread)
    assert not thread.is_alive()
    assert_short(limits)


@pytest.mark.parametrize("step", [STEP, None])
def test_join_thread_times_out(monkeypatch: pytest.MonkeyPatch, step: float | None) -> None:
    monkeypatch.setattr(thread_waits, "STEP_SECONDS", step)
    hold = threading.Event()
    thread = threading.Thread(target=hold.wait, args=(20,))
    thread.start()
    began = time.monotonic()
    join(thread, 3 * STEP)
    assert time.monotonic() - began >= 3 * STEP
    assert thread.is_alive()
    hold.set()
    join(thread, 20)
    assert not thread.is_alive()


def test_take_from_queue(limits: list[float | None], acts: list[Act]) -> None:
    items: queue.Queue[int] = queue.Queue()
    acts.append(lambda: items.put(7))
    assert take_from(items) == 7
    assert_short(limits)


def test_pool_maps_in_order(limits: list[float | None]) -> None:
    def slow(number: int) -> int:
        time.sleep((4 - number) * STEP)
        return number

    with ThreadPool(4) as pool:
        assert list(pool.map(slow, range(4))) == [0, 1, 2, 3]
        pool.submit(time.sleep, 5 * STEP)
    assert_short(limits)


def test_pool_leaves_no_threads() -> None:
    with thread_pool(2, "tested") as pool:
        pool.submit(time.sleep, STEP)
    assert not [each for each in threading.enumerate() if each.name.startswith("tested")]


def test_stopping_iteration_early_cancels_pending_calls() -> None:
    hold = threading.Event()
    with ThreadPool(1) as pool:
        results = pool.map(lambda number: number or hold.wait(20), [1, 0, 2])
        assert next(results) == 1
        last = pool.submit(int)
        results.close()  # type: ignore[attr-defined] # it is a generator
        hold.set()
    assert last.done()


def test_functions_built_on_waits_use_short_steps(limits: list[float | None]) -> None:
    class Slow:
        """A stream whose second chunk is slow."""

        def __init__(self) -> None:
            self.chunks = [b"", b"b", b"a"]

        def read(self, _: int) -> bytes:
            time.sleep(3 * STEP)
            return self.chunks.pop()

        def close(self) -> None:
            pass

    with read_ahead(Slow()) as stream:
        assert stream.read(9) == b"a"
    with Workers(2) as workers:
        workers.submit(lambda: time.sleep(5 * STEP))
    with make_compressor(Compression.GZIP, lambda _: None, threads=2) as packer:
        packer.write(bytes(8 * BLOCK_SIZE))
    assert all(limit is not None and limit <= AHEAD for limit in limits)
