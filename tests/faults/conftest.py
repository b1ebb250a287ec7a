"""What every fault is followed by."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def _only_new_objects_are_looked_at() -> Iterator[None]:
    """Set aside what is there already: after thousands of tests it is much to look through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """Collect at once, so that a connection that was left open fails the test that left it."""
    yield
    gc.collect()
