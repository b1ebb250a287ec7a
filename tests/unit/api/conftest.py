"""Fixtures: clients with their own homes, and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl import Client
from tests.registry_double.fixtures import ghcr, plain_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.registry_double import PlainRegistry

__all__ = ["ghcr", "plain_registry"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment without registries and credentials."""
    return {
        "HOME": str(tmp_path),
        "PATH": str(tmp_path / "bin"),
        "GHCRCTL_STORE": str(tmp_path / "store"),
        "GHCRCTL_CONFIG_DIR": str(tmp_path / "config"),
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_RETRIES": "0",
        "GHCRCTL_STALL_TIMEOUT": "5",
        "GHCRCTL_PLATFORM": "linux/amd64",
    }


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def client(environ: dict[str, str], warnings: list[str]) -> Iterator[Client]:
    with Client(environ=environ, warn=warnings.append) as made:
        yield made


@pytest.fixture
def repository(plain_registry: PlainRegistry) -> str:
    """The name of a new repository."""
    return f"{plain_registry.host}/octo/image"
