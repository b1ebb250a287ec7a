"""The store as a registry's backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from pathlib import Path


def test_an_image_that_was_made_here_stays_when_its_tag_is_deleted(tmp_path: Path) -> None:
    image = random_image(seed=1)
    memory = MemoryPlace()
    image.into(memory)
    with session_on(tmp_path) as session:
        execute(make_plan(memory, StorePlace(session.store), image.root, names=("hello:1",)))
        backend = StoreBackend(session.store)
        backend.untag("hello", "1")
        assert backend.tags("hello") == []
        assert backend.resolve("hello", str(image.root.digest)).digest == image.root.digest
        (record,) = session.store.records()
        assert record.name == f"hello@{image.root.digest}"
        backend.delete("hello", image.root.digest)
        assert session.store.records() == []
