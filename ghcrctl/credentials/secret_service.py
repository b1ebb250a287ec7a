"""A client of the Secret Service, the keyring of Linux desktops, over D-Bus.

On Linux, the package keyring installs cryptography, which takes 16 MB. This client uses the session
algorithm "plain" instead, as gh does. Only processes of the same user can read messages on the
session bus, and these could read the unlocked keyring anyway. Entries have the attributes of the
package keyring so that both find the same ones.

Source: freedesktop.org, "Secret Service API Draft" 0.2.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.keyring_failures import KeyringError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE = "org.freedesktop.secrets"
_PATH = "/org/freedesktop/secrets"
_NO_OBJECT = "/"
_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"
_REPLY_TIMEOUT_SECONDS = 25.0
_APPLICATION = "Python keyring library"


class SecretService:
    """The default collection of a user's Secret Service.

    Args:
        address: D-Bus address of the session bus.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def is_available(self) -> bool:
        """Check whether a Secret Service is running, or can be started."""
        from jeepney import message_bus

        try:
            with self._connect() as bus:
                (running,) = _reply(bus, message_bus.NameHasOwner(_SERVICE))
                (startable,) = _reply(bus, message_bus.ListActivatableNames())
        except (OSError, RuntimeError, ValueError):
            return False
        return bool(running) or _SERVICE in startable

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret of an entry.

        Raises:
            KeyringError: the collection is locked.
        """
        with self._open() as session:
            for item in session.find(service, username):
                return session.secret(item)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Create or replace an entry.

        Raises:
            KeyringError: the collection is locked.
        """
        with self._open() as session:
            session.store(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        """Delete all entries of a service and user name.

        Raises:
            KeyringError: the collection is locked.
        """
        with self._open() as session:
            for item in session.find(service, username):
                session.delete(item)

    def _connect(self) -> Any:
        from jeepney.io.blocking import open_dbus_connection

        return open_dbus_connection(self._address)

    @contextmanager
    def _open(self) -> Iterator[_Session]:
        from jeepney import DBusErrorResponse

        try:
            with self._connect() as bus:
                yield _Session(bus)
        except DBusErrorResponse as error:
            if error.name == _IS_LOCKED:
                raise KeyringError("it is locked") from None
            raise


class _Session:
    """An open session with the service. ``bus``: a connection of jeepney."""

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        _, self._path = self._call(_PATH, "Service", "OpenSession", "sv", "plain", ("s", ""))

    def find(self, service: str, username: str) -> list[str]:
        """Return the paths of entries in the unlocked default collection."""
        collection = self._default_collection()
        if collection == _NO_OBJECT:
            return []
        self._unlock(collection)
        attributes = {"service": service, "username": username}
        (items,) = self._call(collection, "Collection", "SearchItems", "a{ss}", attributes)
        return list(items)

    def secret(self, item: str) -> str:
        """Return the secret of an entry."""
        self._unlock(item)
        (secret,) = self._call(item, "Item", "GetSecret", "o", self._path)
        return bytes(secret[2]).decode()

    def store(self, service: str, username: str, password: str) -> None:
        """Create or replace an entry in the default collection, which is created if needed."""
        collection = self._default_collection()
        if collection == _NO_OBJECT:
            collection = self._create_collection()
        self._unlock(collection)
        attributes = {"application": _APPLICATION, "service": service, "username": username}
        properties = {
            "org.freedesktop.Secret.Item.Label": ("s", f"Password for '{username}' on '{service}'"),
            "org.freedesktop.Secret.Item.Attributes": ("a{ss}", attributes),
        }
        secret = (self._path, b"", password.encode(), "text/plain")
        _, prompt = self._call(
            *(collection, "Collection", "CreateItem", "a{sv}(oayays)b", properties, secret),
            True,  # noqa: FBT003 replaces an entry with these attributes
        )
        self._complete(prompt)

    def delete(self, item: str) -> None:
        """Delete an entry."""
        (prompt,) = self._call(item, "Item", "Delete")
        self._complete(prompt)

    def _default_collection(self) -> str:
        (path,) = self._call(_PATH, "Service", "ReadAlias", "s", "default")
        return str(path)

    def _create_collection(self) -> str:
        properties = {"org.freedesktop.Secret.Collection.Label": ("s", "Default")}
        path, prompt = self._call(
            _PATH, "Service", "CreateCollection", "a{sv}s", properties, "default"
        )
        return str(self._complete(prompt) or path)

    def _unlock(self, path: str) -> None:
        _, prompt = self._call(_PATH, "Service", "Unlock", "ao", [path])
        self._complete(prompt)

    def _complete(self, prompt: str) -> Any:
        """Wait until the user has answered the service's prompt; return its result."""
        if prompt == _NO_OBJECT:
            return None
        from jeepney import MatchRule, message_bus

        interface = "org.freedesktop.Secret.Prompt"
        rule = MatchRule(type="signal", interface=interface, member="Completed", path=prompt)
        _reply(self._bus, message_bus.AddMatch(rule))
        with self._bus.filter(rule) as signals:
            self._call(prompt, "Prompt", "Prompt", "s", "")
            dismissed, (_, result) = self._bus.recv_until_filtered(signals).body
        if dismissed:
            raise KeyringError("it is locked, and the prompt to unlock it was dismissed")
        return result

    def _call(
        self, path: str, interface: str, method: str, signature: str | None = None, *body: Any
    ) -> Any:
        from jeepney import DBusAddress, new_method_call

        address = DBusAddress(path, _SERVICE, f"org.freedesktop.Secret.{interface}")
        return _reply(self._bus, new_method_call(address, method, signature, body))


def _reply(bus: Any, message: Any) -> Any:
    """Send a message; return the body of its reply.

    Raises:
        DBusErrorResponse: the reply is an error.
    """
    from jeepney.wrappers import unwrap_msg

    return unwrap_msg(bus.send_and_get_reply(message, timeout=_REPLY_TIMEOUT_SECONDS))
