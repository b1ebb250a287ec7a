"""The local store as a backend of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import ManifestUnknownError, RefusedError
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import index_of, random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.builders import Built


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def keep(session: Session, image: Built, name: str) -> None:
    memory = MemoryPlace()
    image.into(memory)
    execute(make_plan(memory, StorePlace(session.store), image.root, names=(name,)))


def test_deleting_a_tag_keeps_a_locally_created_image(session: Session) -> None:
    image = random_image(seed=1)
    keep(session, image, "hello:1")
    backend = StoreBackend(session.store)
    backend.untag("hello", "1")
    assert backend.tags("hello") == []
    assert backend.resolve("hello", str(image.root.digest)).digest == image.root.digest
    (record,) = session.store.records()
    assert record.name == f"hello@{image.root.digest}"
    backend.delete("hello", image.root.digest)
    assert session.store.records() == []


def test_manifests_of_an_index_exist_as_long_as_the_index(session: Session) -> None:
    child = random_image(seed=1)
    index = index_of(child, random_image(seed=2))
    keep(session, index, "hello:1")
    backend = StoreBackend(session.store)
    assert backend.resolve("hello", str(child.root.digest)).size == child.root.size
    with pytest.raises(RefusedError, match="lists"):
        backend.delete("hello", child.root.digest)
    backend.delete("hello", index.root.digest)
    with pytest.raises(ManifestUnknownError):
        backend.delete("hello", child.root.digest)


def test_manifest_without_its_file_is_unknown(session: Session) -> None:
    image = random_image(seed=1)
    keep(session, image, "hello:1")
    backend = StoreBackend(session.store)
    backend.resolve("hello", str(image.root.digest))
    session.store.blobs.remove(image.root.digest)
    for name in ("1", str(image.root.digest)):
        with pytest.raises(ManifestUnknownError):
            backend.resolve("hello", name)


def test_only_requestable_names_are_listed(session: Session) -> None:
    names = ("ghcr.io/octo/tool:1", "hello:1", "localhost:5000/octo/tool:1", "[::1]:5000/tool:1")
    for seed, name in enumerate(names):
        keep(session, random_image(seed=seed), name)
    for seed, name in enumerate(("", "latest"), start=8):
        keep(session, random_image(seed=seed), name)
    backend = StoreBackend(session.store)
    assert backend.repositories() == ["ghcr.io/octo/tool", "hello"]
    assert [backend.tags(name) for name in backend.repositories()] == [["1"], ["1"]]
