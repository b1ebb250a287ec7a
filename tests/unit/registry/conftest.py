from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from tests.registry_double.fixtures import ghcr, plain_registry
from tests.unit.registry.bending import IMAGE
from tests.unit.registry.lan import Lan
from tests.unit.registry.party import SECRET, Party

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import PlainRegistry

__all__ = [
    "client",
    "ghcr",
    "lan",
    "nobody",
    "octo",
    "plain_registry",
    "said",
    "transport",
    "waits",
    "web",
]


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """A scripted web."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def octo(web: responses.RequestsMock) -> Iterator[Party]:
    """An authenticator with a credential."""
    del web
    party = Party(Credential("octo", SECRET, source="the test"))
    yield party
    party.transport.close()


@pytest.fixture
def nobody(web: responses.RequestsMock) -> Iterator[Party]:
    """An authenticator without a credential."""
    del web
    party = Party(None)
    yield party
    party.transport.close()


@pytest.fixture
def lan() -> Iterator[Lan]:
    """A server on loopback."""
    with Lan() as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    """The waits, in seconds."""
    return []


@pytest.fixture
def said() -> list[str]:
    """The debug lines."""
    return []


@pytest.fixture
def transport(waits: list[float], said: list[str]) -> Iterator[Transport]:
    """A transport with few retries that does not really wait."""
    options = TransportOptions(
        retry=RetryPolicy(attempts=3, base=0.5),
        connect_timeout=0.5,
        stall_timeout=0.3,
        debug=said.append,
    )
    made = Transport(options, sleep=waits.append)
    yield made
    made.close()


@pytest.fixture
def client(plain_registry: PlainRegistry) -> Iterator[RegistryClient]:
    """A client for a registry with one image."""
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    options = TransportOptions(retry=RetryPolicy(attempts=1), stall_timeout=5.0)
    made = RegistryClient(plain_registry.host, credentials=None, options=options, warn=print)
    yield made
    made.close()
