"""Isolation: no test sees the user's home, credentials or network."""

from __future__ import annotations

import gc
import ipaddress
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from pytest_socket import socket_allow_hosts

from tests.abilities import lacking, needs_of, reason

if TYPE_CHECKING:
    from pathlib import Path

hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, print_blob=True
)
hypothesis.settings.register_profile("few", derandomize=True, deadline=None, max_examples=15)
hypothesis.settings.register_profile("deep", deadline=None, max_examples=3000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Background jobs of a shell ignore Ctrl-C, and so would all processes that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_FORGOTTEN_PREFIXES = ("GHCRCTL_", "GITHUB_", "GH_", "DOCKER_", "XDG_", "REGISTRY_", "SSL_CERT_")
_FORGOTTEN = {
    "ACTIONS_RUNTIME_TOKEN",
    "CI",
    "CURL_CA_BUNDLE",
    "DBUS_SESSION_BUS_ADDRESS",
    "FORCE_COLOR",
    "NO_COLOR",
    "REQUESTS_CA_BUNDLE",
    "SOURCE_DATE_EPOCH",
}


def pytest_configure(config: pytest.Config) -> None:
    """Register our mark."""
    config.addinivalue_line("markers", "needs(*names): abilities of the system")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this system does not support, with the reason; on Linux only for lack of root."""
    missing = lacking() & {"root"} if sys.platform == "linux" else lacking()
    for item in items if missing else ():
        if wanted := needs_of(item) & missing:
            item.add_marker(pytest.mark.skip(reason=reason(wanted)))


def pytest_collection_finish() -> None:
    """Exempt thousands of tests from garbage collection, which would scan them each time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give each test an empty home, a keyring without a backend and a terminal of 80 columns."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if _is_of_this_machine(name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    # The variable for HOME on Windows.
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("APPDATA", str(home / "AppData" / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "AppData" / "Local"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local" / "share"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / ".run"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    return home


def _is_of_this_machine(variable: str) -> bool:
    """Check whether a variable would let the user's configuration into a test."""
    proxy = variable.lower().endswith("_proxy")
    return proxy or variable in _FORGOTTEN or variable.startswith(_FORGOTTEN_PREFIXES)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Block connections to other machines, and fail name resolution at once."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    resolve = socket.getaddrinfo

    def resolve_nearby(host: Any, *args: Any, **options: Any) -> Any:
        if _is_nearby(host):
            return resolve(host, *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve_nearby)


def _is_nearby(host: str | bytes | None) -> bool:
    """Check whether a name needs no resolver: this machine, or an address."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == socket.gethostname() or name.split(".")[-1] == "localhost":
        return True
    try:
        return bool(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return False
