"""The Secret Service of a Linux session without the package keyring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import default_chain
from ghcrctl.credentials.os_keyring import KeyringError, OsKeyring
from ghcrctl.credentials.own_store import default_store
from ghcrctl.errors import CredentialStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.secret_service_double import SecretServiceDouble

pytestmark = pytest.mark.needs("linux")
CREDENTIAL = Credential("octo", "s3crét", None, "the system's keyring")
ATTRIBUTES = {
    "application": "Python keyring library",
    "service": "ghcrctl:reg.io",
    "username": "reg.io",
}


@pytest.fixture(autouse=True)
def _without_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SecretServiceDouble]:
    from tests.secret_service_double import serve_secrets

    with serve_secrets(tmp_path) as double:
        yield double


def _keyring(service: SecretServiceDouble, **environ: str) -> OsKeyring:
    return OsKeyring({"DBUS_SESSION_BUS_ADDRESS": service.address, **environ})


@pytest.mark.parametrize("confirms", [False, True])
def test_an_entry_is_stored_found_and_erased(
    service: SecretServiceDouble, *, confirms: bool
) -> None:
    service.confirms = confirms
    keyring = _keyring(service)
    assert keyring.is_real()
    assert keyring.get("reg.io") is None
    keyring.store("reg.io", Credential("old", "secret"))
    keyring.store("reg.io", CREDENTIAL)
    # The package keyring finds entries by these attributes.
    assert list(service.items) == [frozenset(ATTRIBUTES.items())]
    assert keyring.get("reg.io") == CREDENTIAL
    assert keyring.get("other.io") is None
    assert keyring.erase("reg.io")
    assert not keyring.erase("reg.io")
    assert service.items == {}
    assert "CreateCollection" not in service.calls


def test_login_and_lookup_use_the_service(service: SecretServiceDouble, tmp_path: Path) -> None:
    environ = {"DBUS_SESSION_BUS_ADDRESS": service.address, "PATH": "/nowhere"}
    own_store = default_store(environ, home=tmp_path, config_dir=tmp_path)
    assert own_store.store("reg.io", CREDENTIAL).place == "the system's keyring"
    assert "s3cr" not in (tmp_path / "auth.json").read_text()
    chain = default_chain(environ, home=tmp_path, config_dir=tmp_path, warn=pytest.fail)
    assert chain.find("reg.io") == CREDENTIAL


def test_a_locked_collection_is_unlocked_by_a_prompt(service: SecretServiceDouble) -> None:
    keyring = _keyring(service)
    keyring.store("reg.io", CREDENTIAL)
    service.locked = True
    assert keyring.get("reg.io") == CREDENTIAL
    assert service.calls.count("Prompt") == 1


def test_a_dismissed_prompt_is_reported(service: SecretServiceDouble, tmp_path: Path) -> None:
    service.locked = service.dismissed = True
    with pytest.raises(KeyringError, match="the prompt to unlock it was dismissed"):
        _keyring(service).get("reg.io")
    environ = {"DBUS_SESSION_BUS_ADDRESS": service.address}
    own_store = default_store(environ, home=tmp_path, config_dir=tmp_path)
    with pytest.raises(CredentialStoreError, match="dismissed"):
        own_store.store("reg.io", CREDENTIAL)
    assert not (tmp_path / "auth.json").exists()


def test_a_collection_that_stays_locked_is_reported(service: SecretServiceDouble) -> None:
    keyring = _keyring(service)
    keyring.store("reg.io", CREDENTIAL)
    service.locked = service.forgets_unlock = True
    with pytest.raises(KeyringError, match=r"^it is locked$"):
        keyring.get("reg.io")


@pytest.mark.parametrize("dismiss", ["store", "erase"])
def test_a_dismissed_confirmation_is_reported(service: SecretServiceDouble, dismiss: str) -> None:
    keyring = _keyring(service)
    keyring.store("reg.io", Credential("old", "secret"))
    service.confirms = service.dismissed = True
    with pytest.raises(KeyringError, match="dismissed"):
        keyring.store("reg.io", CREDENTIAL) if dismiss == "store" else keyring.erase("reg.io")
    assert b"old" in service.items[frozenset(ATTRIBUTES.items())]


def test_another_error_of_the_service_is_reported(service: SecretServiceDouble) -> None:
    keyring = _keyring(service)
    keyring.store("reg.io", CREDENTIAL)
    service.broken = True
    with pytest.raises(KeyringError, match="over D-Bus"):
        keyring.get("reg.io")


@pytest.mark.parametrize("confirms", [False, True])
def test_a_missing_collection_is_created_by_login_only(
    service: SecretServiceDouble, *, confirms: bool
) -> None:
    service.confirms = confirms
    service.has_collection = False
    keyring = _keyring(service)
    assert keyring.get("reg.io") is None
    assert not keyring.erase("reg.io")
    assert "CreateCollection" not in service.calls
    keyring.store("reg.io", CREDENTIAL)
    assert keyring.get("reg.io") == CREDENTIAL


@pytest.mark.parametrize(
    ("running", "startable", "real"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_a_service_must_run_or_be_startable(
    service: SecretServiceDouble, *, running: bool, startable: bool, real: bool
) -> None:
    service.running, service.startable = running, startable
    assert _keyring(service).is_real() is real


@pytest.mark.parametrize(
    "address", ["", "unix:path=/nonexistent/bus", "tcp:host=127.0.0.1", "nonsense"]
)
def test_a_session_without_a_bus_has_no_keyring(address: str) -> None:
    keyring = OsKeyring({"DBUS_SESSION_BUS_ADDRESS": address})
    assert not keyring.is_real()
    assert keyring.get("reg.io") is None


def test_a_system_without_jeepney_has_no_keyring(
    service: SecretServiceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghcrctl.credentials.os_keyring.find_spec", lambda _: None)
    assert not _keyring(service).is_real()


def test_a_selected_backend_needs_the_package_keyring(service: SecretServiceDouble) -> None:
    variable = "PYTHON_KEYRING_BACKEND"
    assert not _keyring(service, **{variable: "keyring.backends.null.Keyring"}).is_real()
    keyring = _keyring(service, **{variable: "keyring.backends.kwallet.DBusKeyring"})
    with pytest.raises(KeyringError, match=r"needs the package keyring: pip install 'ghcrctl\["):
        keyring.is_real()
    assert service.calls == []
