"""Isolation: no test sees this person's home, credentials or network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest
from pytest_socket import socket_allow_hosts

if TYPE_CHECKING:
    from pathlib import Path

hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, print_blob=True
)
hypothesis.settings.register_profile("deep", deadline=None, max_examples=3000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_FORGOTTEN_PREFIXES = ("GHCRCTL_", "GITHUB_", "GH_", "DOCKER_", "XDG_", "REGISTRY_AUTH_FILE", "SSL_CERT")
_FORGOTTEN = {"NO_COLOR", "CI", "SOURCE_DATE_EPOCH", "ACTIONS_RUNTIME_TOKEN"}
_KEPT = {"GHCRCTL_REQUIRE_PEERS"}


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give each test an empty home, a keyring without a backend and a terminal of 80 columns."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        proxy = name.lower().endswith("_proxy")
        if name in _FORGOTTEN or name.startswith(_FORGOTTEN_PREFIXES) or proxy:
            if name not in _KEPT:
                monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local" / "share"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    return home


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
