"""A session and a registry that behaves like ghcr.io."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.registry_double.fixtures import ghcr, plain_registry
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

__all__ = ["ghcr", "plain_registry"]


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def session(tmp_path: Path, ghcr: RegistryDouble, warnings: list[str]) -> Iterator[Session]:
    with session_on(
        tmp_path / "home", registry=ghcr.host, token="ghp_octo", warn=warnings.append
    ) as made:
        yield made
