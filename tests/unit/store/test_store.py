"""Names and content of the store, and damage by a disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    BlobUnknownError,
    ConnectionLostError,
    DigestMismatchError,
    ExitStatus,
    StoreDamagedError,
    StoreError,
)
from ghcrctl.store.place import StorePlace
from tests.builders import artifact, index_of, random_image
from tests.unit.store.acts import BIG, Cutting, fill, is_whole, open_store, record

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.store.store import Store

OLD, NEW = random_image(2, seed=1), random_image(2, seed=2)
LAYER, LAYER_BYTES = BIG.blobs[0]


def cut_short(store: Store, received: int = 2_500_000) -> Path:
    """Receive part of the layer; return the partial file."""
    with pytest.raises(ConnectionLostError):
        store.blobs.write(Content(Cutting(BIG, received), LAYER), store.lease())
    [partial] = (store.root / "ghcrctl" / "partial").iterdir()
    assert not store.blobs.exists(LAYER)
    return partial


def test_an_interrupted_write_is_resumed(store: Store) -> None:
    have = cut_short(store).stat().st_size
    assert have > 1_000_000
    source = Cutting(BIG)
    store.blobs.write(Content(source, LAYER), store.lease())
    assert source.offsets == [have]
    assert store.blobs.path(LAYER.digest).read_bytes() == LAYER_BYTES
    assert list((store.root / "ghcrctl" / "partial").iterdir()) == []


@pytest.mark.parametrize("damage", ["other bytes", "too many"])
def test_a_damaged_partial_file_is_discarded(store: Store, damage: str) -> None:
    partial = cut_short(store)
    with partial.open("r+b") as file:
        file.seek(0, 0 if damage == "other bytes" else 2)
        file.write(bytes(100 if damage == "other bytes" else LAYER.size))
    source = Cutting(BIG)
    store.blobs.write(Content(source, LAYER), store.lease())
    assert source.offsets[-1] == 0
    assert store.blobs.path(LAYER.digest).read_bytes() == LAYER_BYTES


def test_a_complete_partial_file_needs_no_transfer(store: Store) -> None:
    cut_short(store).write_bytes(LAYER_BYTES)
    source = Cutting(BIG)
    store.blobs.write(Content(source, LAYER), store.lease())
    assert source.offsets == []
    assert store.blobs.path(LAYER.digest).read_bytes() == LAYER_BYTES


def test_wrong_bytes_are_tried_once_and_not_kept(store: Store) -> None:
    source = Cutting(BIG)
    source.put(LAYER, b"?" * LAYER.size)
    with pytest.raises(DigestMismatchError):
        store.blobs.write(Content(source, LAYER), store.lease())
    assert source.offsets == [0]
    assert list((store.root / "ghcrctl" / "partial").iterdir()) == []


def test_an_image_that_lost_its_name_is_kept(store: Store) -> None:
    fill(store, OLD, "octo:latest", pulled=False)
    facts = record(store, "octo:latest").facts
    fill(store, NEW, "octo:latest", pulled=False)
    old, new = store.records()
    assert (old.name, old.facts, old.descriptor.digest) == ("", facts, OLD.root.digest)
    assert (new.name, new.descriptor.digest) == ("octo:latest", NEW.root.digest)
    assert is_whole(store, OLD)


def test_a_pulled_image_that_lost_its_name_keeps_its_digest(store: Store) -> None:
    fill(store, OLD, "ghcr.io/octo/image:1")
    fill(store, NEW, "ghcr.io/octo/image:1")
    names = [r.name for r in store.records()]
    assert names == [f"ghcr.io/octo/image@{OLD.root.digest}", "ghcr.io/octo/image:1"]


def test_removing_an_image_keeps_shared_content(store: Store) -> None:
    small, large = random_image(1, seed=4), random_image(2, seed=4)
    fill(store, small, "small")
    fill(store, large, "large")
    store.close()
    gone = store.remove([record(store, "large")])
    assert set(gone) == {d.digest for d, _ in large.contents} - {
        d.digest for d, _ in small.contents
    }
    assert gone[0] == large.root.digest
    assert is_whole(store, small)


def test_an_index_is_removed_with_its_children(store: Store) -> None:
    nested = index_of(index_of(OLD), NEW)
    fill(store, nested, "nested")
    assert is_whole(open_store(store.root), nested)
    store.close()
    assert len(store.remove([record(store, "nested")])) == len(nested.contents)


def test_images_of_other_tools_are_listed_and_unchanged(store: Store) -> None:
    fill(store, OLD, "ours")
    path = store.root / "index.json"
    document = json.loads(path.read_text())
    theirs = {
        "mediaType": OLD.root.media_type,
        "digest": str(OLD.root.digest),
        "size": OLD.root.size,
        "annotations": {"org.opencontainers.image.ref.name": "1.0", "com.example.note": "mine"},
    }
    strange = {"mediaType": "text/plain", "digest": f"sha256:{'a' * 64}", "size": 5}
    path.write_text(
        json.dumps({**document, "manifests": [*document["manifests"], theirs, strange]})
    )
    assert [r.name for r in store.records()] == ["ours", "1.0", ""]
    assert record(store, "1.0").facts == record(store, "ours").facts
    fill(store, NEW, "new")
    entries = json.loads(path.read_text())["manifests"]
    assert [e["digest"] for e in entries[1:3]] == [theirs["digest"], strange["digest"]]
    assert entries[1]["annotations"].items() >= theirs["annotations"].items()  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["", "garbage", "[]", "{}", '{"manifests": [{}]}', "[" * 99_999])
def test_a_damaged_list_is_an_error_and_not_overwritten(store: Store, text: str) -> None:
    fill(store, OLD, "old")
    path = store.root / "index.json"
    path.write_text(text)
    for act in (store.records, lambda: fill(store, NEW, "new")):
        with pytest.raises(StoreDamagedError) as caught:
            act()
        assert str(path) in str(caught.value)
        assert caught.value.exit_status is ExitStatus.STORE
    assert path.read_text() == text
    assert is_whole(store, OLD)


def test_pulling_again_repairs_a_damaged_image(store: Store) -> None:
    fill(store, OLD, "old")
    lost, cut = (d for d, _ in OLD.blobs[:2])
    store.blobs.path(lost.digest).unlink()
    store.blobs.path(cut.digest).write_bytes(b"cut")
    assert not StorePlace(store).exists(OLD.root)
    with pytest.raises(BlobUnknownError, match="not found in the local store"):
        store.blobs.open(lost)
    fill(store, OLD, "old")
    assert is_whole(store, OLD)


def test_content_that_a_damaged_image_may_need_is_kept(store: Store) -> None:
    fill(store, OLD, "old")
    fill(store, NEW, "new")
    store.close()
    store.blobs.path(OLD.root.digest).write_bytes(b"damaged")
    assert store.remove([record(store, "new")]) == ()
    assert [r.name for r in store.records()] == ["old"]
    assert is_whole(store, NEW)


def test_an_unwritable_store_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no directory")
    store = open_store(file / "store")
    with pytest.raises(StoreError) as caught:
        fill(store, OLD, "old")
    assert caught.value.exit_status is ExitStatus.STORE
    assert file.read_text() == "no directory"


def test_a_store_is_created_at_the_first_write(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    assert store.records() == []
    assert not store.root.exists()
    fill(store, artifact(), "thing")
    assert json.loads((store.root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
