"""Every adapter passes the same suites; a new one is a fixture and a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.oci.platform import Platform
from ghcrctl.store.place import StorePlace
from ghcrctl.store.store import Store
from tests.conformance.suites import Rig, SinkSuite, SourceSuite

if TYPE_CHECKING:
    from pathlib import Path


def memory_rig(_directory: Path) -> Rig:
    place = MemoryPlace()
    return Rig(place, lambda: place)


def store_rig(directory: Path) -> Rig:
    def reopen() -> StorePlace:
        return StorePlace(Store(directory / "store", prefer=Platform("linux", "amd64")))

    return Rig(reopen(), reopen, name="ghcr.io/octo/image:{}".format)


@pytest.fixture(params=[memory_rig, store_rig], ids=["memory", "store"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    made: Rig = request.param(tmp_path)
    return made


class TestSource(SourceSuite):
    """Reading."""


class TestSink(SinkSuite):
    """Writing."""
