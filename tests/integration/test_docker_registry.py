"""Checks of the registry fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.integration.docker_registry import (
    PASSWORD,
    USER,
    docker_registry,
    docker_registry_basic,
    docker_registry_token,
)

if TYPE_CHECKING:
    from tests.integration.docker_registry import DockerRegistry

__all__ = ["docker_registry", "docker_registry_basic", "docker_registry_token"]
pytestmark = pytest.mark.integration


def get(registry: DockerRegistry, path: str, **kwargs: object) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(registry.ca) if registry.ca else True
        return session.get(f"{registry.url}{path}", timeout=10, **kwargs)  # type: ignore[arg-type]


def test_plain_registry_responds(docker_registry: DockerRegistry) -> None:
    assert get(docker_registry, "/v2/").status_code == 200


def test_basic_registry_requires_the_password(docker_registry_basic: DockerRegistry) -> None:
    assert get(docker_registry_basic, "/v2/").status_code == 401
    assert get(docker_registry_basic, "/v2/", auth=(USER, PASSWORD)).status_code == 200


def test_token_registry_trusts_its_token_server(docker_registry_token: DockerRegistry) -> None:
    registry = docker_registry_token
    challenge = get(registry, "/v2/").headers["WWW-Authenticate"]
    realm = challenge.split('realm="', 1)[1].split('"', 1)[0]
    assert realm.startswith("https://localhost:")
    query = {"service": "docker-registry", "scope": "repository:octo/x:pull"}
    issued = requests.get(
        realm, params=query, auth=(USER, PASSWORD), verify=str(registry.ca), timeout=10
    )
    headers = {"Authorization": f"Bearer {issued.json()['token']}"}
    # The request is allowed, and nothing is found.
    assert get(registry, "/v2/octo/x/tags/list", headers=headers).status_code == 404
    assert get(registry, "/v2/octo/y/tags/list", headers=headers).status_code == 401


def test_private_ca_is_required(docker_registry_basic: DockerRegistry) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{docker_registry_basic.url}/v2/", timeout=10)
