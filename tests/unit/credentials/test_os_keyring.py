"""The operating system's keyring, and its failures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.backends import chainer, fail, null

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import default_chain
from ghcrctl.credentials.os_keyring import KeyringError, OsKeyring
from ghcrctl.credentials.own_store import default_store
from ghcrctl.errors import CredentialStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "s3cret"


def of_module(module: str, name: str, base: type[Exception] = Exception) -> type[Exception]:
    """Return an exception class of a library that is not installed."""
    return type(name, (base,), {"__module__": module})


def of_windows(number: int, text: str = "The stub received bad data.") -> Exception:
    """Return the error of Windows' backend, as raised by pywin32 and its replacement."""
    error = of_module("win32ctypes.pywin32.pywintypes", "error")(number, "CredWrite", text)
    error.winerror = number  # type: ignore[attr-defined]
    return error


class Backend(keyring.backend.KeyringBackend):
    """A keyring in memory whose calls may fail."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.kept[service, username]

    def _fail(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def backend() -> Iterator[Backend]:
    before = keyring.get_keyring()
    made = Backend()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


class Desk:
    """A user who only has the keyring for credentials."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"PATH": "/nowhere", "XDG_RUNTIME_DIR": str(home)}
        self.said: list[str] = []

    @property
    def own_store(self) -> Any:
        return default_store(self.environ, home=self.home, config_dir=self.home / "ours")

    def find(self) -> Credential | None:
        chain = default_chain(
            self.environ, home=self.home, config_dir=self.home / "ours", warn=self.said.append
        )
        return chain.find("reg.io")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


LIMIT = "Windows Credential Manager stores at most 2,560 bytes per credential"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (of_windows(1783), LIMIT),
        (of_windows(5), "Windows denies access to Credential Manager"),
        (of_windows(1312), "this logon session has no Credential Manager, as is usual over SSH"),
        (of_windows(87), "Windows reports error 87"),
        (of_module("pywintypes", "error")(1783, "CredWrite", SECRET), LIMIT),
        (OSError(5, SECRET), "its backend failed with OSError"),
        (keyring.errors.KeyringLocked(SECRET), "it is locked, or access was denied"),
        (
            keyring.errors.PasswordSetError("Can't store password on keychain: (-25308, 'Unk')"),
            "the keychain is locked, and cannot prompt in this session; run "
            "`security unlock-keychain`",
        ),
        (keyring.errors.KeyringError("... (-25307, 'Unknown')"), "there is no default keychain"),
        (keyring.errors.PasswordSetError("... (-1, 'U')"), "macOS reports status -1"),
        (keyring.errors.NoKeyringError(SECRET), "there is no keyring in this session"),
        (
            of_module("secretstorage.exceptions", "LockedException")(SECRET),
            "it is locked",
        ),
        (
            of_module("secretstorage.exceptions", "PromptDismissedException")(SECRET),
            "it is locked, and the prompt to unlock it was dismissed",
        ),
        (
            of_module("secretstorage.exceptions", "SecretServiceNotAvailableException")(),
            "no secret service is running in this session",
        ),
        (
            of_module("jeepney.wrappers", "DBusErrorResponse")(SECRET),
            "the secret service does not respond over D-Bus (DBusErrorResponse)",
        ),
        (
            of_module("elsewhere", "Gone", of_module("dbus.exceptions", "DBusException"))(),
            "the secret service does not respond over D-Bus (Gone)",
        ),
        (ValueError(SECRET), "its backend failed with ValueError"),
        (ValueError("(-25308, )"), "its backend failed with ValueError"),
    ],
)
def test_a_failure_is_explained_without_a_secret(
    desk: Desk, backend: Backend, error: Exception, reason: str
) -> None:
    backend.error = error
    with pytest.raises(CredentialStoreError) as caught:
        desk.own_store.store("reg.io", Credential("me", SECRET))
    if reason is LIMIT:
        reason = f"the credential needs 124 bytes, but {LIMIT}"
    assert str(caught.value) == f"cannot use the system's keyring: {reason}"
    assert "GHCRCTL_KEYRING=0" in (caught.value.hint or "")
    assert caught.value.exit_status == 5
    # Nothing is stored elsewhere instead.
    assert not (desk.home / "ours" / "auth.json").exists()
    with pytest.raises(CredentialStoreError):
        desk.own_store.erase("reg.io")
    assert desk.find() is None
    assert len(desk.said) == 1
    assert desk.said[0].startswith(
        "cannot read the credential for reg.io from the system's keyring"
    )
    assert desk.said[0].endswith("; continuing without it")
    assert SECRET not in f"{caught.value}{desk.said}"


def test_the_size_on_windows_is_reported(desk: Desk, backend: Backend) -> None:
    backend.error = of_windows(1783)
    with pytest.raises(CredentialStoreError, match=r"needs 4,112 bytes, but .* at most 2,560"):
        desk.own_store.store("reg.io", Credential("me", "x" * 2000))


def test_what_is_stored_is_found_and_erased(desk: Desk, backend: Backend) -> None:
    for credential in (Credential("mé", SECRET), Credential("", "", "refresh")):
        assert desk.own_store.store("reg.io", credential).place == "the system's keyring"
        found = desk.find()
        assert found
        assert (found.username, found.secret) == (credential.username, credential.secret)
        assert found.identity_token == credential.identity_token
        assert found.source == "the system's keyring"
        assert list(backend.kept) == [("ghcrctl:reg.io", "reg.io")]
        assert desk.own_store.erase("reg.io") == ["the system's keyring"]
        assert desk.own_store.erase("reg.io") == []
        assert backend.kept == {}


def test_a_broken_docker_configuration_is_reported_with_the_keyring(
    desk: Desk, backend: Backend
) -> None:
    assert desk.own_store.store("reg.io", Credential("me", SECRET)).warning is None
    config = desk.home / ".docker" / "config.json"
    config.parent.mkdir()
    config.write_text('{"credsStore": 7')
    stored = desk.own_store.store("reg.io", Credential("me", SECRET))
    assert stored.place == "the system's keyring"
    assert stored.warning == f"ignoring {config}: invalid JSON"
    assert list(backend.kept) == [("ghcrctl:reg.io", "reg.io")]


@pytest.mark.parametrize(
    "entry",
    [
        *("token", "[]", "5", "null", "{}", '{"username": "u"}', "[" * 100_000),
        '{"username": 1, "secret": "s"}',
        '{"username": "u", "secret": null}',
    ],
)
def test_an_entry_of_another_program_is_ignored(desk: Desk, backend: Backend, entry: str) -> None:
    backend.kept["ghcrctl:reg.io", "reg.io"] = entry
    assert desk.find() is None
    assert "the entry was not written by ghcrctl" in desk.said[0]


def test_an_invalid_identity_token_is_ignored(desk: Desk, backend: Backend) -> None:
    entry = {"username": "u", "secret": "s", "identity_token": 5}
    backend.kept["ghcrctl:reg.io", "reg.io"] = json.dumps(entry)
    assert desk.find() == Credential("u", "s", None, "the system's keyring")
    for text in ("", None):
        backend.kept["ghcrctl:reg.io", "reg.io"] = text  # type: ignore[assignment]
        assert desk.find() is None
    assert desk.said == []


@pytest.mark.parametrize("value", ["0", "false", "No", " OFF "])
def test_a_disabled_keyring_is_not_used(desk: Desk, backend: Backend, value: str) -> None:
    backend.error = ValueError()
    desk.environ["GHCRCTL_KEYRING"] = value
    assert desk.find() is None
    assert desk.own_store.erase("reg.io") == []
    stored = desk.own_store.store("reg.io", Credential("me", SECRET))
    assert stored.place == str(desk.home / "ours" / "auth.json")
    assert "stored unencrypted" in stored.warning
    assert "cannot use" not in stored.warning
    assert desk.said == []


@pytest.mark.parametrize("made", [fail.Keyring, null.Keyring])
def test_a_backend_that_stores_nothing_is_not_used(desk: Desk, backend: Backend, made: Any) -> None:
    keyring.set_keyring(made())
    assert not OsKeyring(desk.environ).is_real()
    assert desk.find() is None
    assert desk.own_store.store("reg.io", Credential("me", SECRET)).warning
    with pytest.raises(KeyringError, match="there is no keyring in this session"):
        OsKeyring(desk.environ).store("reg.io", Credential("me", SECRET))
    keyring.set_keyring(backend)
    assert OsKeyring(desk.environ).is_real()


@pytest.mark.parametrize("backends", [[], [1]])
def test_a_chain_needs_a_backend(
    desk: Desk, backend: Backend, monkeypatch: pytest.MonkeyPatch, backends: list[int]
) -> None:
    assert backend.kept == {}
    monkeypatch.setattr(chainer.ChainerBackend, "backends", backends)
    keyring.set_keyring(chainer.ChainerBackend())  # type: ignore[no-untyped-call]
    assert OsKeyring(desk.environ).is_real() == bool(backends)


def test_a_broken_keyring_is_reported_when_the_file_is_used(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_load() -> NoReturn:
        raise ModuleNotFoundError(SECRET)

    monkeypatch.setattr(keyring, "get_keyring", fail_to_load)
    stored = desk.own_store.store("reg.io", Credential("me", SECRET))
    assert stored.warning.startswith(
        "cannot use the system's keyring: its backend failed with ModuleNotFoundError; credentials "
        "are stored unencrypted in"
    )
    found = desk.find()
    assert found
    assert found.secret == SECRET
    assert ["ModuleNotFoundError" in said for said in desk.said] == [True]
