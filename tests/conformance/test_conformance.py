"""Every adapter passes the same suites; a new one is a rig in the list."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.oci.platform import Platform
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.place import StorePlace
from ghcrctl.store.store import Store
from tests.conformance.suites import Rig, SinkSuite, SourceSuite, repository_rig
from tests.registry_double import PlainRegistry, RegistryDouble
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def memory(_: Path) -> Iterator[Rig]:
    place = MemoryPlace()
    yield Rig(place, lambda: place)


@contextmanager
def store(folder: Path) -> Iterator[Rig]:
    def reopen() -> StorePlace:
        return StorePlace(Store(folder / "store", prefer=Platform("linux", "amd64")))

    yield Rig(reopen(), reopen, name="ghcr.io/octo/image:{}".format)


@contextmanager
def registry_by_the_book(folder: Path) -> Iterator[Rig]:
    with PlainRegistry() as registry, session_on(folder) as session:
        yield repository_rig(session, f"{registry.host}/octo/image")


@contextmanager
def served_store(folder: Path) -> Iterator[Rig]:
    store = Store(folder / "served", prefer=Platform("linux", "amd64"))
    store.prepare()
    with (
        PlainRegistry(backend=StoreBackend(store)) as registry,
        session_on(folder) as session,
    ):
        yield repository_rig(session, f"{registry.host}/octo/image")


@contextmanager
def registry_like_ghcr(folder: Path) -> Iterator[Rig]:
    with RegistryDouble() as registry:
        registry.accounts["octo"] = "ghp_octo"
        with session_on(folder, registry=registry.host, token="ghp_octo") as session:
            yield repository_rig(session, f"{registry.host}/octo/image")


@pytest.fixture(
    params=[memory, store, registry_by_the_book, served_store, registry_like_ghcr],
    ids=lambda rig: rig.__name__,
)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with request.param(tmp_path) as made:
        yield made


class TestSource(SourceSuite):
    """Reading."""


class TestSink(SinkSuite):
    """Writing."""
