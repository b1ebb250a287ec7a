"""The keyring of the operating system.

What belongs here: finding out whether there is a real one, and our entries in it. The library is
imported when a credential is first looked for or kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.credential import Credential

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = "the system's keyring"
_OFF = frozenset({"0", "false", "no", "off"})


class KeyringError(Exception):
    """The keyring failed; the text says how, without a secret."""


class OsKeyring:
    """Our entries in the keyring: service ``ghcrctl:REGISTRY``, the credential as JSON."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._enabled = environ.get("GHCRCTL_KEYRING", "").strip().lower() not in _OFF
        self._environ = environ

    def is_real(self) -> bool:
        """Tell whether there is a keyring that keeps what it is given."""
        return self._enabled and self._backend() is not None

    def get(self, registry: str) -> Credential | None:
        """Look a credential up.

        Raises:
            KeyringError: the keyring failed or is locked.
        """
        backend = self._backend() if self._enabled else None
        if backend is None:
            return None
        text = _guarded(lambda: backend.get_password(_service(registry), registry))
        if not text:
            return None
        try:
            data = json.loads(text)
            return Credential(data["username"], data["secret"], data.get("identity_token"), PLACE)
        except (ValueError, KeyError, TypeError):
            raise KeyringError("its entry is not one of ours") from None

    def store(self, registry: str, credential: Credential) -> None:
        """Keep a credential.

        Raises:
            KeyringError: the keyring refused.
        """
        backend = self._backend()
        data = {
            "username": credential.username,
            "secret": credential.secret,
            "identity_token": credential.identity_token,
        }
        if backend is None:
            raise KeyringError("there is none")
        _guarded(lambda: backend.set_password(_service(registry), registry, json.dumps(data)))

    def erase(self, registry: str) -> bool:
        """Forget a credential; tell whether there was one."""
        backend = self._backend() if self._enabled else None
        if backend is None or not _guarded(
            lambda: backend.get_password(_service(registry), registry)
        ):
            return False
        _guarded(lambda: backend.delete_password(_service(registry), registry))
        return True

    def _backend(self) -> Any:
        """Return the backend in use if it is a real one."""
        import keyring
        from keyring.backends import chainer, fail, null

        backend = _guarded(keyring.get_keyring)
        if isinstance(backend, (fail.Keyring, null.Keyring)):
            return None
        if isinstance(backend, chainer.ChainerBackend) and not backend.backends:
            return None
        return backend


def _service(registry: str) -> str:
    return f"ghcrctl:{registry}"


def _guarded(act: Any) -> Any:
    """Call the keyring; its backends raise whatever their systems do."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 backends raise errors of D-Bus, of Windows, of macOS
        raise KeyringError(type(error).__name__) from None
