"""Several processes on one store, including killed ones."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    ConnectionLostError,
    ExitStatus,
    InterruptedByUserError,
    StoreLockedError,
)
from ghcrctl.store import partials
from ghcrctl.store import store as store_module
from tests.builders import random_image
from tests.unit.store.acts import BIG, Cutting, fill, is_whole, open_store, record, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from ghcrctl.store.store import Store

OLD = random_image(2, seed=1)


@pytest.fixture
def other(store: Store) -> Iterator[Other]:
    made = Other(store)
    yield made
    for process in made.processes:
        kill(process)


class Other:
    """Other processes on the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *act: str) -> subprocess.Popen[str]:
        process = start(self._store.root, *act)
        self.processes.append(process)
        return process

    def in_the_middle(self, act: str) -> subprocess.Popen[str]:
        process = self.start(act)
        assert process.stdout
        # Fail instead of hanging if the process never gets there.
        patience = threading.Timer(30, process.kill)
        patience.start()
        said = process.stdout.readline()
        patience.cancel()
        assert said == "in the middle\n"
        return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    if process.stdout:
        process.stdout.close()


def test_a_process_killed_during_a_write_damages_nothing(store: Store, other: Other) -> None:
    fill(store, OLD, "old:latest")
    kill(other.in_the_middle("pull-slowly"))
    again = open_store(store.root)
    assert [r.name for r in again.records()] == ["old:latest"]
    assert is_whole(again, OLD)
    assert not again.blobs.exists(BIG.blobs[0][0])


def test_bytes_received_by_a_killed_process_are_not_requested_again(
    store: Store, other: Other
) -> None:
    kill(other.in_the_middle("pull-slowly"))
    source = Cutting(BIG)

    layer = BIG.blobs[0][0]
    store.blobs.write(Content(source, layer), store.lease())
    assert store.blobs.path(layer.digest).read_bytes() == BIG.blobs[0][1]
    [offset] = source.offsets
    assert 0 < offset <= 2_000_000


def test_a_running_process_keeps_its_own_unfinished_file(
    store: Store, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partials, "STALL_SECONDS", 0.3)
    process = other.in_the_middle("pull-slowly")
    fill(store, BIG, "mine:latest")
    assert is_whole(store, BIG)
    assert process.poll() is None


def test_the_lock_of_a_killed_process_is_free(store: Store, other: Other) -> None:
    fill(store, OLD, "old:latest")
    kill(other.in_the_middle("hold-lock"))
    fill(store, random_image(seed=2), "new:latest")
    assert [r.name for r in store.records()] == ["old:latest", "new:latest"]


def test_a_lock_held_for_too_long_is_an_error(
    store: Store, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LOCK_TIMEOUT", 0.2)
    other.in_the_middle("hold-lock")
    with pytest.raises(StoreLockedError) as caught:
        fill(open_store(store.root), OLD, "old:latest")
    assert caught.value.exit_status is ExitStatus.STORE
    assert store.records() == []


def test_content_of_a_running_process_is_not_removed(store: Store, other: Other) -> None:
    process = other.in_the_middle("hold-lease")
    store.remove([record(store, "held")])
    assert store.records() == []
    assert is_whole(store, BIG)
    kill(process)
    fill(store, BIG, "again")
    store.close()
    store.remove([record(store, "again")])
    assert not any(store.blobs.exists(d) for d, _ in BIG.contents)


def test_concurrent_pulls_tags_and_removals_lose_nothing(store: Store, other: Other) -> None:
    processes = [other.start("churn", seed) for seed in "abc"]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    names = {r.name for r in store.records() if r.name and "@" not in r.name}
    kept = {f"kept-{seed}:{turn}" for seed in "abc" for turn in range(4)}
    assert names == kept | {"shared:latest"}
    for turn in range(4):
        assert is_whole(store, random_image(3, 5000, seed=turn))
    assert is_whole(store, random_image(2, 5000, seed=3))
    leftovers = [*(store.root / "ghcrctl" / "leases").iterdir()]
    assert [path for path in leftovers if path.suffix == ".list"] == []


def test_concurrently_creating_a_store_loses_nothing(store: Store, other: Other) -> None:
    processes = [other.start("first", seed) for seed in "abcde"]
    assert [process.wait(timeout=60) for process in processes] == [0] * 5
    assert {r.name for r in store.records()} == {f"first-{seed}" for seed in "abcde"}
    assert is_whole(store, OLD)


def test_a_stalled_process_is_waited_for_once(
    store: Store, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partials, "STALL_SECONDS", 0.5)
    other.in_the_middle("pull-slowly")
    begun = time.monotonic()
    fill(store, BIG, "mine:latest")
    assert 0.5 < time.monotonic() - begun < 5
    layer = BIG.blobs[0][0]
    store.blobs.remove(layer.digest)
    begun = time.monotonic()
    fill(store, BIG, "mine:latest")
    assert time.monotonic() - begun < 0.5
    assert is_whole(store, BIG)


def test_a_waiting_process_resumes_a_dead_ones_download(store: Store, other: Other) -> None:
    process = other.in_the_middle("pull-slowly")
    source = Cutting(BIG)
    dying = threading.Timer(0.5, process.kill)
    dying.start()
    store.blobs.write(Content(source, BIG.blobs[0][0]), store.lease())
    process.wait()
    assert store.blobs.path(BIG.blobs[0][0].digest).read_bytes() == BIG.blobs[0][1]
    assert source.offsets[0] > 0
    assert list((store.root / "ghcrctl" / "partial").iterdir()) == []


def test_waiting_for_another_process_can_be_interrupted(store: Store, other: Other) -> None:
    other.in_the_middle("pull-slowly")
    lease = store.lease()
    layer = BIG.blobs[0][0]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.blobs.write, Content(Cutting(BIG), layer), lease)
        time.sleep(0.5)
        assert not waiting.done()
        begun = time.monotonic()
        store.close()
        with pytest.raises(InterruptedByUserError):
            waiting.result(5)
    assert time.monotonic() - begun < 1
    assert not store.blobs.exists(layer)


def test_content_stored_by_another_process_meanwhile_is_not_fetched(store: Store) -> None:
    quick, slow = store, open_store(store.root)
    layer = BIG.blobs[0][0]
    arrived, gate = threading.Event(), threading.Event()

    class Gated(MemoryPlace):
        def open(self, descriptor, offset=0):  # type: ignore[no-untyped-def]
            arrived.set()
            assert gate.wait(20)
            return super().open(descriptor, offset)

    gated = Gated()
    BIG.into(gated)
    source = Cutting(BIG)
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(quick.blobs.write, Content(gated, layer), quick.lease())
        assert arrived.wait(20)
        # Two files created within one clock tick are in no particular order.
        [first] = (store.root / "ghcrctl" / "partial").iterdir()
        os.utime(first, (time.time() - 1,) * 2)
        waiting = pool.submit(slow.blobs.write, Content(source, layer), slow.lease())
        time.sleep(0.3)
        assert not waiting.done()
        gate.set()
        writing.result(10)
        waiting.result(10)
    assert source.offsets == []
    assert slow.blobs.exists(layer)
    assert list((store.root / "ghcrctl" / "partial").iterdir()) == []
    slow.close()


def test_a_released_partial_file_is_resumed_by_another_process(store: Store) -> None:
    other, layer = open_store(store.root), BIG.blobs[0][0]
    with pytest.raises(ConnectionLostError):
        other.blobs.write(Content(Cutting(BIG, 1_500_000), layer), other.lease())
    source = Cutting(BIG)
    store.blobs.write(Content(source, layer), store.lease())
    assert source.offsets[0] > 0
    assert store.blobs.exists(layer)
    other.close()


def test_a_partial_file_of_a_running_process_is_not_taken_over(
    store: Store, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partials, "STALL_SECONDS", 0.3)
    other.in_the_middle("pull-slowly")
    folder = store.root / "ghcrctl" / "partial"
    [theirs] = folder.iterdir()
    before = theirs.read_bytes()
    fill(store, BIG, "mine:latest")
    assert list(folder.iterdir()) == [theirs]
    assert theirs.read_bytes() == before


def test_leases_of_killed_processes_are_removed(store: Store, other: Other) -> None:
    kill(other.in_the_middle("hold-lease"))
    folder = store.root / "ghcrctl" / "leases"
    left = {path.name for path in folder.iterdir()}
    assert left
    mine = store.lease().id
    assert {path.name for path in folder.iterdir()} - {f"{mine}.lock"} == set()
