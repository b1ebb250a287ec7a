"""ghcrctl's entries in the keyring of the operating system.

If the package keyring is installed, it is used: by default on macOS and Windows, and on Linux with
the extra ``ghcrctl[keyring]``. Otherwise, ghcrctl uses the Secret Service of Linux directly.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.keyring_failures import KeyringError, keyring_error
from ghcrctl.credentials.secret_service import SecretService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PLACE", "KeyringError", "OsKeyring"]

PLACE = "the system's keyring"
_OFF = frozenset({"0", "false", "no", "off"})
_NO_BACKEND = ("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring")


class OsKeyring:
    """Our entries in the keyring: service ``ghcrctl:REGISTRY`` with the credential as JSON."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._enabled = environ.get("GHCRCTL_KEYRING", "").strip().lower() not in _OFF
        self._environ = environ

    def is_real(self) -> bool:
        """Check whether there is a keyring that can store credentials."""
        return self._enabled and self._backend() is not None

    def get(self, registry: str) -> Credential | None:
        """Return the credential for a registry, if there is one.

        Raises:
            KeyringError: the keyring failed or is locked.
        """
        backend = self._backend() if self._enabled else None
        if backend is None:
            return None
        text = _guarded(lambda: backend.get_password(_service(registry), registry))
        if not text:
            return None
        return _read(text)

    def store(self, registry: str, credential: Credential) -> None:
        """Store a credential.

        Raises:
            KeyringError: the keyring failed.
        """
        backend = self._backend()
        if backend is None:
            raise KeyringError("there is no keyring in this session")
        data = {
            "username": credential.username,
            "secret": credential.secret,
            "identity_token": credential.identity_token,
        }
        text = json.dumps(data)
        _guarded(lambda: backend.set_password(_service(registry), registry, text), text)

    def erase(self, registry: str) -> bool:
        """Delete the credential for a registry; return whether there was one."""
        backend = self._backend() if self._enabled else None
        if backend is None or not _guarded(
            lambda: backend.get_password(_service(registry), registry)
        ):
            return False
        _guarded(lambda: backend.delete_password(_service(registry), registry))
        return True

    def _backend(self) -> Any:
        """Return the backend if it can store credentials."""
        return _guarded(lambda: _real_backend(self._environ))


def _real_backend(environ: Mapping[str, str]) -> Any:
    try:
        import keyring
    except ModuleNotFoundError:
        return _secret_service(environ)
    from keyring.backends import chainer, fail, null

    backend = keyring.get_keyring()
    if isinstance(backend, (fail.Keyring, null.Keyring)):
        return None
    if isinstance(backend, chainer.ChainerBackend) and not backend.backends:
        return None
    return backend


def _secret_service(environ: Mapping[str, str]) -> SecretService | None:
    """Return the Secret Service of this session.

    Raises:
        KeyringError: the environment selects a backend of the package keyring.
    """
    chosen = environ.get("PYTHON_KEYRING_BACKEND", "")
    if chosen in _NO_BACKEND:
        return None
    if chosen:
        raise KeyringError(
            "PYTHON_KEYRING_BACKEND needs the package keyring: pip install 'ghcrctl[keyring]'"
        )
    address = environ.get("DBUS_SESSION_BUS_ADDRESS")
    if not address or find_spec("jeepney") is None:
        return None
    found = SecretService(address)
    return found if found.is_available() else None


def _service(registry: str) -> str:
    return f"ghcrctl:{registry}"


def _read(text: str) -> Credential:
    """Parse an entry.

    Raises:
        KeyringError: another program wrote the entry.
    """
    try:
        data = json.loads(text)
        username, secret = data["username"], data["secret"]
        token = data.get("identity_token")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        username = secret = token = None
    if not (isinstance(username, str) and isinstance(secret, str)):
        raise KeyringError("the entry was not written by ghcrctl")
    return Credential(username, secret, token if isinstance(token, str) else None, PLACE)


def _guarded(act: Callable[[], Any], stored: str = "") -> Any:
    """Call the keyring and translate its errors.

    Args:
        act: the call.
        stored: the text to be stored, if any.

    Raises:
        KeyringError: the call failed.
    """
    try:
        return act()
    except KeyringError:
        raise
    except Exception as error:  # noqa: BLE001 backends raise errors of D-Bus, Windows and macOS
        raise keyring_error(error, stored) from None
