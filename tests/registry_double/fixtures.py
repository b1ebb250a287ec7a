"""The registries as fixtures; a conftest imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.registry_double.double import PlainRegistry, RegistryDouble

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ghcr() -> Iterator[RegistryDouble]:
    """A registry like ghcr.io, with the account ``octo`` whose token is ``ghp_octo``."""
    with RegistryDouble() as double:
        double.accounts["octo"] = "ghp_octo"
        yield double


@pytest.fixture
def plain_registry() -> Iterator[PlainRegistry]:
    """A standard registry without authentication."""
    with PlainRegistry() as registry:
        yield registry
