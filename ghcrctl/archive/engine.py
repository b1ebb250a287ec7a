"""The image API of a docker engine: save, load, tag and inspect.

Source: Docker's documentation, "Docker Engine API", Images. These requests are the same in every
version since 1.24, so the engine's own version is used.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.engine_address import DEFAULT_ADDRESS, EngineAddress
from ghcrctl.archive.engine_connection import EngineResponse, connect, translate_errors
from ghcrctl.archive.engine_errors import engine_error, error_message
from ghcrctl.errors import (
    InvalidResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from http.client import HTTPConnection
    from pathlib import Path

    from ghcrctl.content.ports import Stream

_RESPONSE_SECONDS = 60.0
# Limit of one JSON document, in bytes.
_MAX_DOCUMENT = 4 * 1024 * 1024
# An error message is expected in this many bytes at the end of a stream.
_TAIL = 4096
_BODY_HEADERS = (("Content-Type", "application/x-tar"), ("Transfer-Encoding", "chunked"))
_LOADED = re.compile(r"Loaded image(?: ID|\(s\))?: (.+)")
_VERSION = re.compile(r"\d+\.\d+")


class Engine:
    """A docker engine, or another engine with docker's API.

    Args:
        address: address of the engine as in DOCKER_HOST; ``None`` for docker's default socket.
        tls: directory with ``ca.pem``, ``cert.pem`` and ``key.pem``; enables TLS for TCP.
        connect_timeout: time limit for connecting (seconds).

    Raises:
        InvalidSettingError: the address is invalid.
        UnsupportedError: only docker itself supports this kind of address.
    """

    def __init__(
        self,
        address: str | None = None,
        tls: Path | None = None,
        *,
        connect_timeout: float = 15.0,
    ) -> None:
        self.address = EngineAddress.parse(address or DEFAULT_ADDRESS, tls)
        self._connect_timeout = connect_timeout
        self._base: str | None = None

    @property
    def label(self) -> str:
        """The name of this place in messages."""
        return f"the docker engine at {self.address}"

    def ping(self) -> None:
        """Check that the engine responds.

        Raises:
            NetworkError: the engine does not respond.
            DeniedError: the user is not allowed to access the engine.
        """
        response = self._request("GET", f"{self.address.prefix}/_ping", seconds=_RESPONSE_SECONDS)
        with response:
            self._check(response, "respond", [])
            # Without a version in the path, the engine uses its own.
            version = _VERSION.fullmatch(response.header("Api-Version"))
        self._base = f"{self.address.prefix}/v{version[0]}" if version else self.address.prefix

    def save(self, names: Sequence[str]) -> Stream:
        """Return a stream of images as written by ``docker save``.

        The engine prepares the whole archive before it sends the first byte, so there is no
        timeout.

        Args:
            names: references or image IDs.

        Raises:
            NoSuchImageError: the engine does not have one of the images.
        """
        query = [("names", name) for name in names]
        response = self._request("GET", self._path("/images/get", query), seconds=None)
        try:
            self._check(response, "save images", names)
        except BaseException:
            response.close()
            raise
        return _SavedImages(response, self.label)

    def load(self, chunks: Iterable[bytes]) -> list[str]:
        """Load an archive of images into the engine.

        Args:
            chunks: the archive, in any format that ``docker load`` accepts.

        Returns:
            The names of the loaded images, or ``sha256:...`` image IDs of images without a name.

        Raises:
            UnsupportedError: the engine rejects the archive.
            NoSpaceError: the engine's disk is full.
        """
        path = self._path("/images/load", [("quiet", "1")])
        with self._request("POST", path, chunks=chunks, seconds=None) as response:
            self._check(response, "load images", [])
            return [
                name for message in self._documents(response) for name in _loaded_names(message)
            ]

    def tag(self, id_: str, name: str) -> None:
        """Tag an image; another image with this name loses it.

        Args:
            id_: ID or name of the image.
            name: repository with a tag, without a digest.

        Raises:
            NoSuchImageError: the engine does not have the image.
        """
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, "latest"
        path = self._path(f"/images/{_quoted(id_)}/tag", [("repo", repository), ("tag", tag)])
        with self._request("POST", path, seconds=_RESPONSE_SECONDS) as response:
            self._check(response, "tag images", [id_])

    def inspect(self, name: str) -> dict[str, Any]:
        """Return the details of an image, as shown by ``docker inspect``.

        Raises:
            NoSuchImageError: the engine does not have the image.
        """
        path = self._path(f"/images/{_quoted(name)}/json")
        with self._request("GET", path, seconds=_RESPONSE_SECONDS) as response:
            self._check(response, "show images", [name])
            return self._document(response.read(_MAX_DOCUMENT + 1))

    def _path(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        from urllib.parse import urlencode

        if self._base is None:
            self.ping()
        return f"{self._base}{path}{'?' if query else ''}{urlencode(query)}"

    def _request(
        self,
        method: str,
        path: str,
        *,
        seconds: float | None,
        chunks: Iterable[bytes] | None = None,
    ) -> EngineResponse:
        """Send a request and read the head of the response.

        Args:
            method: HTTP method.
            path: path and query.
            seconds: timeout of each read; ``None`` for no limit (seconds).
            chunks: request body of unknown length.
        """
        connection = connect(self.address, connect_timeout=self._connect_timeout)
        try:
            connection.sock.settimeout(seconds)
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.putheader("User-Agent", "ghcrctl")
            for name, value in _BODY_HEADERS if chunks is not None else ():
                connection.putheader(name, value)
            if self._sent(connection.endheaders) and chunks is not None:
                self._send(connection, chunks)
            with translate_errors(self.address, connected=True):
                return EngineResponse(connection, connection.getresponse(), self.address)
        except BaseException:
            connection.close()
            raise

    def _send(self, connection: HTTPConnection, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            framed = b"%x\r\n%b\r\n" % (len(chunk), chunk)
            if chunk and not self._sent(partial(connection.send, framed)):
                return
        # The last chunk marks the body as complete. If `chunks` raises an exception, it is not sent
        # and the engine discards the body.
        self._sent(partial(connection.send, b"0\r\n\r\n"))

    def _sent(self, send: Callable[[], object]) -> bool:
        """Send data; return whether the engine accepted it. If not, its response may say why."""
        import ssl

        with translate_errors(self.address, connected=True):
            try:
                send()
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                return False
        return True

    def _check(self, response: EngineResponse, action: str, names: Sequence[str]) -> None:
        if response.status >= 300:
            message = error_message(response.read(_MAX_DOCUMENT))
            raise engine_error(self.label, action, message, status=response.status, names=names)

    def _documents(self, response: EngineResponse) -> Iterator[dict[str, Any]]:
        """Yield the JSON documents of a progress stream, which has one per line."""
        for line in response.lines(_MAX_DOCUMENT):
            document = self._document(line)
            if document.get("errorDetail") or document.get("error"):
                raise engine_error(self.label, "load images", error_message(line))
            yield document

    def _document(self, raw: bytes) -> dict[str, Any]:
        try:
            found = json.loads(raw) if len(raw) <= _MAX_DOCUMENT else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InvalidResponseError(f"{self.label} sent an unexpected response")
        return found


class _SavedImages:
    """A stream of saved images, which ends with an error message if the engine fails."""

    def __init__(self, response: EngineResponse, label: str) -> None:
        self._response = response
        self._label = label
        self._tail = b""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end.

        Raises:
            ConnectionLostError: the connection was closed early.
            UnsupportedError: the engine failed to save the images.
        """
        chunk = self._response.read(size)
        if chunk:
            self._tail = (self._tail + chunk[-_TAIL:])[-_TAIL:]
        else:
            self._check_tail()
        return chunk

    def close(self) -> None:
        """Close the connection; the engine stops saving."""
        self._response.close()

    def _check_tail(self) -> None:
        # A complete archive ends with zeros.
        found = self._tail.rfind(b'{"errorDetail"')
        if found >= 0 and self._tail.rstrip().endswith(b"}"):
            raise engine_error(self._label, "save images", error_message(self._tail[found:]))


def _loaded_names(message: dict[str, Any]) -> list[str]:
    """Return the names of loaded images in a document of a progress stream."""
    found = _LOADED.match(str(message.get("stream", "")))
    # Docker sends one name per line; podman sends all names in one line.
    return [name.strip() for name in found[1].split(",")] if found else []


def _quoted(name: str) -> str:
    """Quote a name for a URL path."""
    from urllib.parse import quote

    return quote(name, safe="/:@")
