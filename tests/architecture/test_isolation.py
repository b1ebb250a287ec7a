"""Tests see no other machine, no person's files, no credentials."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import keyring
import pytest
from pytest_socket import SocketConnectBlockedError


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1"])
def test_another_machine_cannot_be_reached(address: str) -> None:
    with socket.socket() as connection, pytest.raises(SocketConnectBlockedError):
        connection.connect((address, 80))


@pytest.mark.parametrize("name", ["ghcr.io", "registry.example"])
def test_another_machines_name_is_unknown(name: str) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(name, 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", None])
def test_this_machine_can_be_reached(host: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection((host or "127.0.0.1", port), timeout=5).close()
    assert socket.getaddrinfo(host, 80)


def test_the_home_is_empty_and_of_this_test(isolated: Path) -> None:
    assert Path.home() == isolated
    assert not list(isolated.iterdir())


def test_the_keyring_keeps_nothing() -> None:
    assert type(keyring.get_keyring()).__module__ == "keyring.backends.null"


@pytest.mark.parametrize(
    "name", ["DOCKER_CONFIG", "GITHUB_TOKEN", "GHCRCTL_TOKEN", "REGISTRY_AUTH_FILE", "HTTPS_PROXY"]
)
def test_credentials_and_proxies_are_forgotten(name: str) -> None:
    assert name not in os.environ
