"""Package requests to the GitHub double, without real waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.github.client import GitHub
from ghcrctl.github.github_hosts import Instance
from ghcrctl.github.packages import Packages
from ghcrctl.github.rate_limit import RateLimiter
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.registry.transport_options import TransportOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packages_double import GitHubDouble

Ask = Callable[..., Packages]
ATTEMPTS = 2


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def ask(github: GitHubDouble, slept: list[float]) -> Iterator[Ask]:
    """Return a function that creates packages for a token; waits are recorded."""
    made: list[GitHub] = []

    def asking(token: str | None = "ghp_octo") -> Packages:
        client = GitHub(
            Instance(github.host, github.api_url, "https://github.com"),
            Credential("octo", token, source="the test") if token is not None else None,
            TransportOptions(retry=RetryPolicy(attempts=ATTEMPTS, base=0.01)),
            limiter=RateLimiter(0),
            sleep=slept.append,
        )
        made.append(client)
        return Packages(client)

    yield asking
    for client in made:
        client.close()


def fill(github: GitHubDouble, count: int, start: int = 0) -> list[str]:
    """Add small manifests; return their digests, oldest first."""
    return [
        github.put_raw("octo/app", f"v{start + number}", body(start + number), OCI_INDEX)
        for number in range(count)
    ]


def body(number: int) -> bytes:
    return b'{"schemaVersion":2,"manifests":[],"annotations":{"n":"%d"}}' % number


def asked(github: GitHubDouble, path: str) -> int:
    """Count the API requests for a path."""
    return sum(entry.host == "api" and entry.path == path for entry in github.log)
