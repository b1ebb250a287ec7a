"""Fixtures: a registry with each of the backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from ghcrctl.server.memory_backend import MemoryBackend
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.store import Store
from tests.registry_double import PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.server.backend import Backend


@pytest.fixture(params=["memory", "store"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "memory":
        return MemoryBackend()
    store = Store(tmp_path / "store", prefer=Platform("linux", "amd64"))
    store.prepare()
    return StoreBackend(store)


@pytest.fixture
def plain_registry(backend: Backend) -> Iterator[PlainRegistry]:
    with PlainRegistry(backend=backend) as registry:
        yield registry
