"""Threads of one process that write the same blob, as in `serve`."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import BlobUnknownError, DigestMismatchError, ExitStatus
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.store.store import Store

DATA = bytes(range(250)) * 20_000
BLOB = Descriptor.of(DATA, "application/octet-stream")


class _Gate(MemoryPlace):
    """A source that sends its first chunk, and the rest after the gate is opened."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.put(BLOB, data)
        self.begun = threading.Event()
        self.gate = threading.Event()

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        return _GatedStream(super().open(descriptor, offset), self)


class _GatedStream:
    def __init__(self, stream: Stream, gate: _Gate) -> None:
        self._stream = stream
        self._gate = gate
        self._first = True

    def read(self, size: int, /) -> bytes:
        if not self._first:
            self._gate.begun.set()
            assert self._gate.gate.wait(20)
        self._first = False
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()


def write(store: Store, source: MemoryPlace, descriptor: Descriptor = BLOB) -> None:
    store.blobs.write(Content(source, descriptor), store.lease())


def plain(data: bytes = DATA) -> MemoryPlace:
    """Return a source that claims to have the blob."""
    made = MemoryPlace()
    made.put(BLOB, data)
    return made


def during(store: Store, slow: _Gate, act: Callable[[], None]) -> tuple[Future[None], Future[None]]:
    """Run an operation during a slow write; return the results of both."""
    store.lease()
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write, store, slow)
        assert slow.begun.wait(20)
        acting = pool.submit(act)
        threading.Event().wait(0.2)
        slow.gate.set()
    return writing, acting


def partial_files(store: Store) -> list[Path]:
    return list((store.root / "ghcrctl" / "partial").iterdir())


def test_two_threads_can_write_the_same_blob(store: Store) -> None:
    for ended in during(store, _Gate(DATA), lambda: write(store, plain())):
        ended.result()
    assert store.blobs.path(BLOB.digest).read_bytes() == DATA
    assert partial_files(store) == []


def test_wrong_bytes_of_one_thread_do_not_affect_another(store: Store) -> None:
    honest, lying = during(store, _Gate(DATA), lambda: write(store, plain(b"?" * len(DATA))))
    honest.result()
    with pytest.raises(DigestMismatchError):
        lying.result()
    assert store.blobs.path(BLOB.digest).read_bytes() == DATA


def test_slow_wrong_bytes_of_one_thread_do_not_affect_another(store: Store) -> None:
    lying, honest = during(store, _Gate(b"?" * len(DATA)), lambda: write(store, plain()))
    honest.result()
    with pytest.raises(DigestMismatchError):
        lying.result()
    assert store.blobs.path(BLOB.digest).read_bytes() == DATA
    assert partial_files(store) == []


def test_a_slow_write_does_not_delay_other_blobs(store: Store) -> None:
    other = plain().add(b"other", "text/plain")
    source = MemoryPlace()
    source.put(other, b"other")
    done = threading.Event()
    slow = _Gate(DATA)

    def act() -> None:
        write(store, source, other)
        if not slow.gate.is_set():
            done.set()

    for ended in during(store, slow, act):
        ended.result()
    assert done.is_set()


def test_many_threads_write_one_blob(store: Store) -> None:
    store.lease()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write(store, plain()), range(16)))
    assert store.blobs.path(BLOB.digest).read_bytes() == DATA
    assert partial_files(store) == []


def test_a_partial_file_of_the_size_with_wrong_bytes_is_dropped(store: Store) -> None:
    partial = store.root / "ghcrctl" / "partial"
    store.prepare()
    (partial / f"sha256-{BLOB.digest.encoded}.1-dead").write_bytes(b"?" * BLOB.size)
    write(store, plain())
    assert store.blobs.path(BLOB.digest).read_bytes() == DATA
    assert partial_files(store) == []


def test_the_longest_partial_file_is_resumed(store: Store) -> None:
    partial = store.root / "ghcrctl" / "partial"
    store.prepare()
    for number, size in enumerate((10, 3000, 200)):
        (partial / f"sha256-{BLOB.digest.encoded}.{number}-dead").write_bytes(DATA[:size])
    offsets: list[int] = []

    class Counting(MemoryPlace):
        def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
            offsets.append(offset)
            return super().open(descriptor, offset)

    source = Counting()
    source.put(BLOB, DATA)
    write(store, source)
    assert offsets == [3000]


def test_partial_files_of_other_blobs_are_kept(store: Store) -> None:
    store.prepare()
    other = store.root / "ghcrctl" / "partial" / f"sha256-{'0' * 64}.1-dead"
    other.write_bytes(b"begun")
    write(store, plain())
    assert other.read_bytes() == b"begun"


def test_a_missing_blob_is_an_error(store: Store) -> None:
    with pytest.raises(BlobUnknownError) as caught:
        store.blobs.open(BLOB)
    assert caught.value.exit_status is ExitStatus.NOT_FOUND
    assert str(BLOB.digest) in str(caught.value)
    assert store.blobs.remove(BLOB.digest) == 0
    assert not store.blobs.path(Digest("sha256", "0" * 64)).exists()
