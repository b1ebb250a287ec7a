"""A D-Bus session bus with a Secret Service, for the requests that ghcrctl sends."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.low_level import Parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_COLLECTION = "/org/freedesktop/secrets/collection/login"
_PROMPT = "/org/freedesktop/secrets/prompt/1"
_NONE = "/"


@dataclass
class SecretServiceDouble:
    """A service with one collection.

    Attributes:
        address: D-Bus address of the bus.
        items: secrets by their attributes.
        running: whether the service runs.
        startable: whether the bus can start the service.
        locked: whether the collection asks for its password.
        forgets_unlock: whether the collection is locked again after its password.
        dismissed: whether the user dismisses the prompt.
        has_collection: whether there is a default collection.
        confirms: whether the user must confirm changes.
        broken: whether each request for a secret fails.
        matches: whether the client has asked for signals.
        calls: methods that were called.
    """

    address: str
    items: dict[frozenset[tuple[str, str]], bytes] = field(default_factory=dict)
    running: bool = True
    startable: bool = False
    locked: bool = False
    forgets_unlock: bool = False
    dismissed: bool = False
    has_collection: bool = True
    confirms: bool = False
    broken: bool = False
    matches: bool = False
    calls: list[str] = field(default_factory=list)
    _result: tuple[str, Any] = ("s", "")
    _change: Callable[[], object] | None = None

    def answer(self, message: Message) -> tuple[str, tuple[Any, ...]] | Exception:
        """Return signature and body of the reply to a call."""
        name = message.header.fields[HeaderFields.member]
        self.calls.append(name)
        reply: tuple[str, tuple[Any, ...]] | Exception = getattr(self, f"_{name}")(message)
        return reply

    def _Hello(self, _: Message) -> Any:  # noqa: N802 these are the names of D-Bus
        return "s", (":1.1",)

    def _NameHasOwner(self, _: Message) -> Any:  # noqa: N802
        return "b", (self.running,)

    def _ListActivatableNames(self, _: Message) -> Any:  # noqa: N802
        return "as", (["org.freedesktop.secrets"] if self.startable else [],)

    def _AddMatch(self, _: Message) -> Any:  # noqa: N802
        self.matches = True
        return "", ()

    def _OpenSession(self, message: Message) -> Any:  # noqa: N802
        assert message.body == ("plain", ("s", ""))
        return "vo", (("s", ""), "/session")

    def _ReadAlias(self, _: Message) -> Any:  # noqa: N802
        return "o", (_COLLECTION if self.has_collection else _NONE,)

    def _CreateCollection(self, _: Message) -> Any:  # noqa: N802
        self._result = ("o", _COLLECTION)
        self._change = lambda: setattr(self, "has_collection", True)
        return "oo", self._changed(_COLLECTION)

    def _Unlock(self, message: Message) -> Any:  # noqa: N802
        if not self.locked:
            return "aoo", (message.body[0], _NONE)
        self._result = ("ao", message.body[0])
        return "aoo", ([], _PROMPT)

    def _Prompt(self, _: Message) -> Any:  # noqa: N802
        self.locked = self.locked and (self.dismissed or self.forgets_unlock)
        self._finish()
        return "", ()

    def _changed(self, path: str) -> tuple[str, str]:
        """Make a change now or after a prompt; return the paths of object and prompt."""
        if self.confirms:
            return _NONE, _PROMPT
        self._finish()
        return path, _NONE

    def _finish(self) -> None:
        if self._change and not self.dismissed:
            self._change()
        self._change = None

    def completed(self) -> tuple[str, tuple[Any, ...]]:
        """Return signature and body of the signal at the end of a prompt."""
        return "bv", (self.dismissed, self._result)

    def _SearchItems(self, message: Message) -> Any:  # noqa: N802
        assert message.header.fields[HeaderFields.path] == _COLLECTION
        wanted = set(message.body[0].items())
        found = [f"{_COLLECTION}/{n}" for n, key in enumerate(self.items) if wanted <= key]
        return "ao", (found,)

    def _GetSecret(self, message: Message) -> Any:  # noqa: N802
        if self.broken:
            return RuntimeError("org.freedesktop.DBus.Error.NoReply")
        if self.locked:
            return RuntimeError("org.freedesktop.Secret.Error.IsLocked")
        return "(oayays)", (("/session", b"", self.items[self._key(message)], "text/plain"),)

    def _CreateItem(self, message: Message) -> Any:  # noqa: N802
        properties, secret, replace = message.body
        assert replace
        assert message.header.fields[HeaderFields.path] == _COLLECTION
        attributes = properties["org.freedesktop.Secret.Item.Attributes"][1]
        key = frozenset(attributes.items())
        self._result = ("o", f"{_COLLECTION}/0")
        self._change = lambda: self.items.update({key: bytes(secret[2])})
        return "oo", self._changed(f"{_COLLECTION}/0")

    def _Delete(self, message: Message) -> Any:  # noqa: N802
        key = self._key(message)
        self._result = ("s", "")
        self._change = lambda: self.items.pop(key)
        return "o", self._changed("")[1:]

    def _key(self, message: Message) -> frozenset[tuple[str, str]]:
        number = int(message.header.fields[HeaderFields.path].rpartition("/")[2])
        return list(self.items)[number]


@contextmanager
def serve_secrets(folder: Path) -> Iterator[SecretServiceDouble]:
    """Run a bus with a Secret Service on a socket in a folder."""
    path = folder / "bus"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        double = SecretServiceDouble(f"unix:path={path}")
        thread = threading.Thread(target=_accept, args=(listener, double))
        thread.start()
        try:
            yield double
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, double: SecretServiceDouble) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                _converse(connection, double, _authenticate(connection))


def _authenticate(connection: socket.socket) -> bytes:
    """Authenticate the client (D-Bus Specification, "Authentication Protocol"); return the rest."""
    received = b""
    while b"BEGIN\r\n" not in received and (part := connection.recv(4096)):
        received += part
        if b"AUTH" in part:
            connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
    return received.partition(b"BEGIN\r\n")[2]


def _converse(connection: socket.socket, double: SecretServiceDouble, part: bytes) -> None:
    parser, serial = Parser(), 0
    while True:
        parser.add_data(part)
        while message := parser.get_next_message():
            for reply in _replies(message, double):
                serial += 1
                connection.sendall(reply.serialise(serial))
        part = connection.recv(4096)
        if not part:
            return


def _replies(message: Message, double: SecretServiceDouble) -> Iterator[Message]:
    answer = double.answer(message)
    if isinstance(answer, Exception):
        yield new_error(message, str(answer))
        return
    yield new_method_return(message, *answer)
    if message.header.fields[HeaderFields.member] == "Prompt" and double.matches:
        yield _signal(*double.completed())


def _signal(signature: str, body: tuple[Any, ...]) -> Message:
    address = DBusAddress(_PROMPT, interface="org.freedesktop.Secret.Prompt")
    made = new_signal(address, "Completed", signature, body)
    assert made.header.message_type is MessageType.signal
    return made
