"""The docker engine as a place for archives: what it saves and loads, over its API.

What belongs here: the few requests that images need, and what the engine's answers mean. What does
not: connections (`engine_connection`), and what is in the archives (`docker`, `layout`).

Source: Docker's documentation, "Docker Engine API", Images: the requests and their answers are the
same in every version from 1.24 on, so the engine's own version is asked for.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.engine_address import DEFAULT_ADDRESS, EngineAddress
from ghcrctl.archive.engine_connection import Answer, connect, in_words
from ghcrctl.archive.engine_refusals import message_in, refusal
from ghcrctl.errors import (
    InvalidResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from http.client import HTTPConnection
    from pathlib import Path

    from ghcrctl.content.ports import Stream

_ANSWER_SECONDS = 60.0
# Bytes of one JSON document of the engine's.
_LONGEST_ANSWER = 4 * 1024 * 1024
# Bytes at the end of a stream in which the engine's word on what failed is looked for.
_TAIL = 4096
_BODY_HEADERS = (("Content-Type", "application/x-tar"), ("Transfer-Encoding", "chunked"))
_LOADED = re.compile(r"Loaded image(?: ID|\(s\))?: (.+)")
_VERSION = re.compile(r"\d+\.\d+")


class Engine:
    """A docker engine, or another that speaks docker's API.

    Args:
        address: where it listens, as in DOCKER_HOST; ``None`` for docker's usual socket.
        tls: the directory of its ``ca.pem`` and our ``cert.pem`` and ``key.pem``, where TCP is
            to be encrypted and verified.
        connect_timeout: seconds to wait for a connection.

    Raises:
        InvalidSettingError: the address is none.
        UnsupportedError: the address is one that only docker itself can use.
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
        """How people know this place."""
        return f"the docker engine at {self.address}"

    def ping(self) -> None:
        """Make sure that an engine answers.

        Raises:
            NetworkError: none does.
            DeniedError: this account may not use it.
        """
        answer = self._ask("GET", f"{self.address.prefix}/_ping", seconds=_ANSWER_SECONDS)
        with answer:
            self._check(answer, "answer", [])
            # Where an engine does not tell its version, a path without one stands for its own.
            version = _VERSION.fullmatch(answer.header("Api-Version"))
        self._base = f"{self.address.prefix}/v{version[0]}" if version else self.address.prefix

    def save(self, names: Sequence[str]) -> Stream:
        """Start reading images as ``docker save`` writes them.

        The engine writes all of it aside before its first byte comes: there is no telling how long
        that takes.

        Args:
            names: references or image IDs.

        Raises:
            NoSuchImageError: the engine lacks one of them.
        """
        query = [("names", name) for name in names]
        answer = self._ask("GET", self._path("/images/get", query), seconds=None)
        try:
            self._check(answer, "save images", names)
        except BaseException:
            answer.close()
            raise
        return _SavedImages(answer, self.label)

    def load(self, chunks: Iterable[bytes]) -> list[str]:
        """Give the engine an archive of images.

        Args:
            chunks: the archive, in any form that ``docker load`` takes.

        Returns:
            The names that it loaded, or image IDs as ``sha256:...`` where there is no name.

        Raises:
            UnsupportedError: the engine does not take the archive.
            NoSpaceError: its disk is full.
        """
        path = self._path("/images/load", [("quiet", "1")])
        with self._ask("POST", path, chunks=chunks, seconds=None) as answer:
            self._check(answer, "load images", [])
            return [name for said in self._documents(answer) for name in _loaded(said)]

    def tag(self, id_: str, name: str) -> None:
        """Give an image a name, which is taken from any other image.

        Args:
            id_: the image's ID, or a name of it.
            name: a repository with a tag, without a digest.

        Raises:
            NoSuchImageError: the engine has no such image.
        """
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, "latest"
        path = self._path(f"/images/{_quoted(id_)}/tag", [("repo", repository), ("tag", tag)])
        with self._ask("POST", path, seconds=_ANSWER_SECONDS) as answer:
            self._check(answer, "tag images", [id_])

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of an image, as ``docker inspect`` shows it.

        Raises:
            NoSuchImageError: the engine has no such image.
        """
        path = self._path(f"/images/{_quoted(name)}/json")
        with self._ask("GET", path, seconds=_ANSWER_SECONDS) as answer:
            self._check(answer, "show images", [name])
            return self._document(answer.read(_LONGEST_ANSWER + 1))

    def _path(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        from urllib.parse import urlencode

        if self._base is None:
            self.ping()
        return f"{self._base}{path}{'?' if query else ''}{urlencode(query)}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float | None,
        chunks: Iterable[bytes] | None = None,
    ) -> Answer:
        """Ask for something, and wait for the answer to begin.

        Args:
            method: HTTP's.
            path: with its query.
            seconds: to wait for each piece of the answer; ``None`` for as long as it takes.
            chunks: a body, of a length that nobody knows.
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
            with in_words(self.address, moving=True):
                return Answer(connection, connection.getresponse(), self.address)
        except BaseException:
            connection.close()
            raise

    def _send(self, connection: HTTPConnection, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            framed = b"%x\r\n%b\r\n" % (len(chunk), chunk)
            if chunk and not self._sent(partial(connection.send, framed)):
                return
        # Only this says that the body is whole: where `chunks` fail, the engine must drop it.
        self._sent(partial(connection.send, b"0\r\n\r\n"))

    def _sent(self, send: Callable[[], object]) -> bool:
        """Send something; tell whether the engine still listens. Why not, its answer may say."""
        import ssl

        with in_words(self.address, moving=True):
            try:
                send()
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                return False
        return True

    def _check(self, answer: Answer, action: str, names: Sequence[str]) -> None:
        if answer.status >= 300:
            said = message_in(answer.read(_LONGEST_ANSWER))
            raise refusal(self.label, action, said, status=answer.status, names=names)

    def _documents(self, answer: Answer) -> Iterator[dict[str, Any]]:
        """Read the documents that tell how loading goes, one a line."""
        for line in answer.lines(_LONGEST_ANSWER):
            document = self._document(line)
            if document.get("errorDetail") or document.get("error"):
                raise refusal(self.label, "load images", message_in(line))
            yield document

    def _document(self, raw: bytes) -> dict[str, Any]:
        try:
            found = json.loads(raw) if len(raw) <= _LONGEST_ANSWER else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InvalidResponseError(f"{self.label} sent an answer that is none of its API")
        return found


class _SavedImages:
    """Images as an engine saves them; where that fails on the way, its words come after them."""

    def __init__(self, answer: Answer, label: str) -> None:
        self._answer = answer
        self._label = label
        self._tail = b""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none means the end.

        Raises:
            ConnectionLostError: the bytes ended before their end.
            UnsupportedError: the engine could not go on.
        """
        chunk = self._answer.read(size)
        if chunk:
            self._tail = (self._tail + chunk[-_TAIL:])[-_TAIL:]
        else:
            self._look_for_words()
        return chunk

    def close(self) -> None:
        """Close the connection; the engine stops saving."""
        self._answer.close()

    def _look_for_words(self) -> None:
        # An archive ends with zeros.
        found = self._tail.rfind(b'{"errorDetail"')
        if found >= 0 and self._tail.rstrip().endswith(b"}"):
            raise refusal(self._label, "save images", message_in(self._tail[found:]))


def _loaded(said: dict[str, Any]) -> list[str]:
    """Read which names one document of a loading engine tells."""
    found = _LOADED.match(str(said.get("stream", "")))
    # Docker tells one a line; podman tells all in one.
    return [name.strip() for name in found[1].split(",")] if found else []


def _quoted(name: str) -> str:
    """Write a name as a part of a path."""
    from urllib.parse import quote

    return quote(name, safe="/:@")
