"""Durability of all files of the store, in the order that keeps the store consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.layout_folder import LayoutPlace
from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import CHUNK_SIZE, Content
from ghcrctl.errors import ConnectionLostError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.store.manifest_lists import ManifestList
from ghcrctl.store.output_files import whole_file
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.disk_record import DiskRecord
from tests.unit.store.acts import BIG, Cutting, fill, open_store, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.store.store import Store

pytestmark = pytest.mark.needs("directory sync")

OLD, NEW = random_image(2, seed=1), random_image(3, seed=2)


def _pull(store: Store) -> None:
    fill(store, NEW, "image:latest")


def _tag(store: Store) -> None:
    fill(store, OLD, "second:latest")


def _remove(store: Store) -> None:
    store.remove([record(store, "image:latest")])


def _resume(store: Store) -> None:
    """Receive the rest of a layer that an earlier process received in part."""
    layer = BIG.blobs[0][0]
    earlier = open_store(store.root)
    with pytest.raises(ConnectionLostError):
        earlier.blobs.write(Content(Cutting(BIG, 2 * CHUNK_SIZE - 1), layer), earlier.lease())
    earlier.close()
    source = Cutting(BIG)
    store.blobs.write(Content(source, layer), store.lease())
    assert source.offsets == [CHUNK_SIZE]
    fill(store, BIG, "big:latest")


def _arrive(store: Store) -> None:
    """Store content whose digest is only known at its end, and an image with it."""
    memory = MemoryPlace()
    NEW.into(memory)
    [(layer, data), *_] = NEW.blobs
    with store.incoming_blob() as arrival:
        arrival.write(data)
    assert store.blobs.exists(layer)
    execute(make_plan(memory, StorePlace(store), NEW.root, names=("new:latest",)))


def _use_another_algorithm(store: Store) -> None:
    """Store content in a directory that does not exist yet."""
    memory = MemoryPlace()
    layer = Descriptor("a/b", Digest.of(b"layer", "sha512"), len(b"layer"))
    memory.put(layer, b"layer")
    store.blobs.write(Content(memory, layer), store.lease())
    store.blobs.sync()


def _keep_origin(store: Store) -> None:
    store.prepare()
    raw = b'{"schemaVersion":2,"manifests":[]}'
    store.origins.keep(Descriptor.of(raw, "").digest, raw)


def _list_manifests(store: Store) -> None:
    store.prepare()
    for name in ("one", "two"):
        store.manifest_lists.write(ManifestList(name))
    store.manifest_lists.write(ManifestList("one", previous="x"))
    store.manifest_lists.remove("two")


ACTS = (
    _pull,
    _tag,
    _remove,
    _resume,
    _arrive,
    _use_another_algorithm,
    _keep_origin,
    _list_manifests,
)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__.strip("_"))
def test_all_files_of_a_store_are_durable(store: Store, act: Callable[[Store], None]) -> None:
    fill(store, OLD, "image:latest")
    store.close()
    with DiskRecord(store.root).watching():
        act(open_store(store.root))


def test_a_new_store_is_durable_with_its_directories(tmp_path: Path) -> None:
    with DiskRecord(tmp_path).watching():
        fill(open_store(tmp_path / "deep" / "store"), OLD, "image:latest")


def test_a_layout_is_durable(tmp_path: Path) -> None:
    with DiskRecord(tmp_path).watching() as watched:
        for image in (OLD, NEW, OLD):
            memory = MemoryPlace()
            image.into(memory)
            place = LayoutPlace(tmp_path / "deep" / "layout")
            execute(make_plan(memory, place, image.root, names=("1",)))
            watched.check("after an image")


@pytest.mark.parametrize("private", [False, True])
def test_an_output_is_durable(tmp_path: Path, private: bool) -> None:
    with DiskRecord(tmp_path).watching():
        for data in (b"old", b"new" * 100_000):
            with whole_file(tmp_path / "out", private=private) as write:
                write(data[:100])
                write(data[100:])
    assert (tmp_path / "out").read_bytes() == b"new" * 100_000


def test_an_output_behind_a_link_is_durable(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to("elsewhere/kept")
    with DiskRecord(tmp_path).watching(), whole_file(tmp_path / "out") as write:
        write(b"new")
    assert (tmp_path / "elsewhere" / "kept").read_bytes() == b"new"
