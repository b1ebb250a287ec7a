"""Content on a failing disk: no partial file is kept, and the next attempt succeeds."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import CHUNK_SIZE, Content
from ghcrctl.errors import ConnectionLostError, DigestMismatchError, ExitStatus, StoreError
from ghcrctl.oci.digest import Digest
from tests.disk_faults import ERRORS, STEPS, break_disk
from tests.unit.store.acts import BIG, Cutting, fill

if TYPE_CHECKING:
    from ghcrctl.store.store import Store

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="only Linux tells the path of an open file"
)

LAYER = BIG.blobs[0][0]


def _unfinished(store: Store) -> list[int]:
    return [path.stat().st_size for path in (store.root / "ghcrctl" / "partial").iterdir()]


def _blobs(store: Store) -> list[Path]:
    return list((store.root / "blobs" / "sha256").iterdir())


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("step", STEPS)
def test_no_partial_file_is_left_after_a_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    store.prepare()
    lease = store.lease()
    break_disk(monkeypatch.setattr, step, number, LAYER.digest.encoded)
    with pytest.raises(StoreError, match=os.strerror(number)) as caught:
        store.blobs.write(Content(Cutting(BIG), LAYER), lease)
    assert caught.value.exit_status is ExitStatus.STORE
    assert ("--store" in (caught.value.hint or "")) == (number == errno.EROFS)
    assert _blobs(store) == []
    # Content that was received and synced completely may be used by the next attempt.
    assert _unfinished(store) in ([], [LAYER.size] if step == "rename" else [])
    monkeypatch.undo()
    source = Cutting(BIG)
    store.blobs.write(Content(source, LAYER), lease)
    assert store.blobs.exists(LAYER)
    assert source.offsets == ([] if step == "rename" else [0])
    assert _unfinished(store) == []


@pytest.mark.parametrize("step", ["write", "sync"])
def test_a_resumed_transfer_is_dropped_after_a_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lease = store.lease()
    with pytest.raises(ConnectionLostError):
        store.blobs.write(Content(Cutting(BIG, 2 * CHUNK_SIZE - 1), LAYER), lease)
    assert _unfinished(store) == [CHUNK_SIZE]
    break_disk(monkeypatch.setattr, step, ERRORS[0], LAYER.digest.encoded)
    with pytest.raises(StoreError):
        store.blobs.write(Content(Cutting(BIG), LAYER), lease)
    assert _unfinished(store) == []
    assert _blobs(store) == []
    monkeypatch.undo()


def test_an_interrupted_transfer_is_resumed_but_wrong_bytes_are_not(store: Store) -> None:
    lease = store.lease()
    with pytest.raises(ConnectionLostError):
        store.blobs.write(Content(Cutting(BIG, 2 * CHUNK_SIZE - 1), LAYER), lease)
    assert store.blobs.received(LAYER.digest) == CHUNK_SIZE
    [left] = (store.root / "ghcrctl" / "partial").iterdir()
    # Other processes need not wait for this one.
    assert left.name.endswith("-left")
    source = Cutting(BIG)
    source._blobs[LAYER.digest] = (LAYER, b"x" * LAYER.size)
    with pytest.raises(DigestMismatchError):
        store.blobs.write(Content(source, LAYER), lease)
    # It was tried from the end of the first transfer, and then from the start.
    assert source.offsets == [CHUNK_SIZE, 0]
    assert _unfinished(store) == []


def test_wrong_bytes_of_a_new_transfer_are_fetched_once(store: Store) -> None:
    source = Cutting(BIG)
    source._blobs[LAYER.digest] = (LAYER, b"x" * LAYER.size)
    with pytest.raises(DigestMismatchError):
        store.blobs.write(Content(source, LAYER), store.lease())
    assert source.offsets == [0]
    assert _unfinished(store) == []


def test_cleanup_does_not_hide_the_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    lease = store.lease()
    break_disk(monkeypatch.setattr, "sync", ERRORS[0], LAYER.digest.encoded)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StoreError, match=os.strerror(ERRORS[0])):
        store.blobs.write(Content(Cutting(BIG), LAYER), lease)
    monkeypatch.undo()


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("step", STEPS)
def test_no_incoming_blob_is_left_after_a_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def arrive() -> None:
        with store.incoming_blob() as arrival:
            arrival.write(b"new" * 1_000_000)

    store.lease()
    digest = Digest.of(b"new" * 1_000_000)
    break_disk(monkeypatch.setattr, step, number, digest.encoded if step == "rename" else "/new-")
    with pytest.raises(StoreError, match=os.strerror(number)) as caught:
        arrive()
    assert ("--store" in (caught.value.hint or "")) == (number == errno.EROFS)
    assert _blobs(store) == []
    assert _unfinished(store) == []
    monkeypatch.undo()
    arrive()
    [path] = _blobs(store)
    assert path.name == digest.encoded
    # Its bytes need not be read again.
    assert store.blobs._verified.verdict(digest, path.stat()) is True


@pytest.mark.parametrize("step", STEPS)
def test_the_list_is_unchanged_after_a_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    fill(store, BIG, "one:latest")
    before = (store.root / "index.json").read_bytes()
    break_disk(monkeypatch.setattr, step, ERRORS[0], "index.json")
    with pytest.raises(StoreError, match=os.strerror(ERRORS[0])):
        fill(store, BIG, "two:latest")
    monkeypatch.undo()
    assert (store.root / "index.json").read_bytes() == before
    assert [path.name for path in store.root.iterdir() if path.name.startswith(".")] == []


def test_a_lease_is_unchanged_after_a_disk_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, digests = store.lease(), [Digest.of(b"1"), Digest.of(b"2")]
    store.reserve(digests)
    [listed] = (store.root / "ghcrctl" / "leases").glob("*.list")
    before = listed.read_bytes()
    break_disk(monkeypatch.setattr, "write", ERRORS[0], ".list")
    with pytest.raises(OSError, match=os.strerror(ERRORS[0])):
        lease.drop(digests[0])
    assert listed.read_bytes() == before
    monkeypatch.undo()
    lease.drop(digests[0])
    assert listed.read_text() == f"{digests[1]}\n"
