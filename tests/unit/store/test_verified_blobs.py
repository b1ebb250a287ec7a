"""Verified blobs are only read again if their file was changed; damaged ones are repaired."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.errors import DigestMismatchError
from ghcrctl.oci.digest import Digest
from ghcrctl.store.check import check_content
from ghcrctl.store.place import StorePlace
from ghcrctl.store.verified_blobs import VerifiedBlobs
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.unit.store.acts import fill, is_whole, open_store, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.store import Store
    from tests.builders import Built

IMAGE = random_image(2, 200_000, seed=3)
LAYER, LAYER_BYTES = IMAGE.blobs[0]
ALL = range(len(IMAGE.contents))


@pytest.fixture
def again(store: Store) -> Iterator[Store]:
    """Open the store in the next process, with an image in it."""
    fill(store, IMAGE, "image")
    # Within this time, a change may not affect the times of a file.
    time.sleep(0.05)
    store.close()
    made = open_store(store.root)
    yield made
    made.close()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def rot(store: Store, descriptor: Descriptor) -> None:
    """Change a blob like a failing disk, without any trace."""
    path = store.blobs.path(descriptor.digest)
    flip(path)
    memory = VerifiedBlobs(store.root / "ghcrctl" / "verified")
    time.sleep(0.05)
    memory.note(descriptor.digest, path.stat(), intact=True)
    memory.save()


def verdict(store: Store, descriptor: Descriptor) -> bool | None:
    """Return what the next process knows about a blob without reading it."""
    known = VerifiedBlobs(store.root / "ghcrctl" / "verified")
    return known.verdict(descriptor.digest, store.blobs.path(descriptor.digest).stat())


def pull(store: Store, image: Built) -> tuple[bool, set[Digest]]:
    """Pull an image; return whether it was up to date, and what was fetched."""
    fetched: set[Digest] = set()

    class Remote(MemoryPlace):
        def open(self, descriptor, offset=0):  # type: ignore[no-untyped-def]
            fetched.add(descriptor.digest)
            return super().open(descriptor, offset)

    remote = Remote("the registry")
    image.into(remote)
    source = Overlay(store.blobs.intact, remote)
    plan = make_plan(source, StorePlace(store), image.root, names=("image",))
    execute(plan)
    return plan.is_up_to_date, fetched


def test_the_next_process_knows_written_blobs_without_reading(again: Store) -> None:
    assert [verdict(again, d) for d, _ in IMAGE.contents] == [True] * len(IMAGE.contents)
    assert pull(again, IMAGE) == (True, set())


@pytest.mark.parametrize("number", ALL)
def test_a_corrupted_blob_counts_as_missing_and_a_pull_repairs_it(
    again: Store, number: int
) -> None:
    harmed = IMAGE.contents[number][0]
    flip(again.blobs.path(harmed.digest))
    assert not again.blobs.exists(harmed)
    assert not StorePlace(again).exists(IMAGE.root)
    assert pull(again, IMAGE) == (False, {harmed.digest})
    assert is_whole(again, IMAGE)
    assert pull(again, IMAGE) == (True, set())
    assert list((again.root / "ghcrctl" / "partial").iterdir()) == []


@pytest.mark.parametrize("number", ALL)
def test_the_next_pull_repairs_what_a_check_finds(again: Store, number: int) -> None:
    harmed = IMAGE.contents[number][0]
    rot(again, harmed)
    assert again.blobs.exists(harmed)
    assert set(check_content(again.blobs, [IMAGE.root], jobs=2)) == {harmed.digest}
    assert not again.blobs.exists(harmed)
    again.close()
    following = open_store(again.root)
    assert not following.blobs.exists(harmed)
    assert pull(following, IMAGE) == (False, {harmed.digest})
    assert is_whole(following, IMAGE)
    following.close()


def test_a_failed_repair_loses_nothing(again: Store) -> None:
    path = again.blobs.path(LAYER.digest)
    flip(path)
    before = path.read_bytes()
    liar = MemoryPlace("the registry")
    IMAGE.into(liar)
    liar.put(LAYER, before)
    with pytest.raises(DigestMismatchError):
        execute(make_plan(Overlay(again.blobs.intact, liar), StorePlace(again), IMAGE.root))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if len(p.name) != 64] == []


def _touch(path: Path) -> None:
    os.utime(path, (1, 1))


def _copy(path: Path) -> None:
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("act", [_touch, _copy, lambda path: path.chmod(0o400)])
def test_a_touched_file_is_read_again_once(again: Store, act: Callable[[Path], None]) -> None:
    act(again.blobs.path(LAYER.digest))
    assert verdict(again, LAYER) is None
    assert again.blobs.exists(LAYER)
    time.sleep(0.05)
    again.close()
    assert verdict(again, LAYER) is True


def test_blobs_of_other_tools_are_read_once(store: Store) -> None:
    for descriptor, content in IMAGE.contents:
        path = store.blobs.path(descriptor.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    store.prepare()
    flip(store.blobs.path(LAYER.digest))
    assert pull(store, IMAGE) == (False, {LAYER.digest})
    time.sleep(0.05)
    store.close()
    assert {verdict(store, d) for d, _ in IMAGE.contents} == {True}


def test_a_blob_changed_just_now_is_not_recorded(store: Store) -> None:
    # Another change within the same clock tick would not be noticed.
    memory = VerifiedBlobs(store.root / "verified")
    store.prepare()
    path = store.root / "blob"
    path.write_bytes(b"now")
    memory.note(Digest.of(b"now"), path.stat(), intact=True)
    memory.save()
    assert not (store.root / "verified").exists()
    time.sleep(0.05)
    memory.save()
    assert VerifiedBlobs(store.root / "verified").verdict(Digest.of(b"now"), path.stat()) is True


def test_recording_a_large_blob_waits_a_clock_tick(store: Store) -> None:
    store.prepare()
    memory = VerifiedBlobs(store.root / "verified")
    path = store.root / "blob"
    path.write_bytes(bytes(9_000_000))
    memory.note(LAYER.digest, path.stat(), intact=True)
    memory.save()
    assert VerifiedBlobs(store.root / "verified").verdict(LAYER.digest, path.stat()) is True


@pytest.mark.parametrize("junk", [b"", b"\0" * 50, b"\xff\xfe", b"sha256: 1 2 3 4\n" * 3])
def test_a_damaged_cache_only_means_reading_again(again: Store, junk: bytes) -> None:
    path = again.root / "ghcrctl" / "verified"
    path.write_bytes(junk)
    assert verdict(again, LAYER) is None
    assert pull(again, IMAGE) == (True, set())
    time.sleep(0.05)
    again.close()
    assert verdict(again, LAYER) is True


def test_a_truncated_cache_has_no_wrong_entries(again: Store) -> None:
    path = again.root / "ghcrctl" / "verified"
    raw = path.read_bytes()
    flip(again.blobs.path(LAYER.digest))
    for cut in range(0, len(raw), 7):
        path.write_bytes(raw[:cut])
        assert verdict(again, LAYER) is None
        assert verdict(again, IMAGE.root) in {True, None}


def test_several_processes_record_results(store: Store) -> None:
    other = open_store(store.root)
    theirs = random_image(1, seed=8)
    fill(store, IMAGE, "mine")
    fill(other, theirs, "theirs")
    time.sleep(0.05)
    for ended in (store, other):
        ended.close()
    assert {verdict(store, d) for d, _ in (*IMAGE.contents, *theirs.contents)} == {True}


def test_removed_blobs_are_forgotten(again: Store) -> None:
    again.remove([record(again, "image")])
    again.close()
    assert b"sha256" not in (again.root / "ghcrctl" / "verified").read_bytes()


def test_reading_creates_no_file(tmp_path: Path) -> None:
    reader = open_store(tmp_path / "none")
    assert not reader.blobs.exists(LAYER)
    assert reader.records() == []
    reader.close()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("number", ALL)
def test_damaged_content_is_an_error_before_any_is_sent(again: Store, number: int) -> None:
    harmed = IMAGE.contents[number][0]
    flip(again.blobs.path(harmed.digest))
    with pytest.raises(DigestMismatchError, match=str(harmed.digest)) as caught:
        StorePlace(again).open(harmed)
    assert caught.value.hint == "ghcrctl fsck --repair"
    StorePlace(again).open(IMAGE.contents[number - 1][0]).close()
