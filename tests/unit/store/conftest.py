"""A separate store for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.store.acts import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store")
    yield made
    made.close()
