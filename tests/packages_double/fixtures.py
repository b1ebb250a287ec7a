"""GitHub as a fixture, and runs of ghcrctl against it; a conftest imports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packages_double.double import GitHubDouble
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    """GitHub, with the account ``octo`` whose token is ``ghp_octo``."""
    with GitHubDouble() as double:
        double.accounts["octo"] = "ghp_octo"
        yield double


def environ_for(double: GitHubDouble, folder: Path) -> dict[str, str]:
    """Return the settings that select the double."""
    return {
        "GHCRCTL_DEFAULT_REGISTRY": double.host,
        "GHCRCTL_GITHUB_API": double.api_url,
        "GHCRCTL_GITHUB_WEB": "https://github.com",
        "GHCRCTL_GITHUB_RATE": "0",
        "GHCRCTL_CACHE_DIR": str(folder / "cache"),
    }


@pytest.fixture
def at_github(github: GitHubDouble, tmp_path: Path) -> Iterator[Session]:
    """A session of ``octo`` with the double."""
    session = session_on(
        tmp_path, registry=github.host, token="ghp_octo", environ=environ_for(github, tmp_path)
    )
    with session:
        yield session
