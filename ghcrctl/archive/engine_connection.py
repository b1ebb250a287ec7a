"""Connections to a docker engine, and its answers.

What belongs here: sockets, TLS, HTTP, and the wording of what goes wrong there. What does not: what
an engine is asked for, and what its answers mean (`daemon`).

Source: Docker's documentation, "Protect the Docker daemon socket".
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.archive.engine_address import EXAMPLES
from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    TimedOutError,
    TlsError,
    UnsupportedError,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from http.client import HTTPConnection, HTTPResponse
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from ghcrctl.archive.engine_address import EngineAddress

_CHUNK = 65536


class Answer:
    """What an engine answers, with the connection that it comes through.

    Args:
        connection: closed with this.
        response: whose head was read.
        address: who answers.
    """

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, address: EngineAddress
    ) -> None:
        self._connection = connection
        self._response = response
        self._address = address
        self.status = response.status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def header(self, name: str) -> str:
        """Return a header's text, empty where there is none."""
        return self._response.getheader(name) or ""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes, or what is left where that is less.

        Raises:
            ConnectionLostError: the bytes ended before their end.
        """
        with in_words(self._address, moving=True):
            chunk = self._response.read(size)
        self._check_end(chunk)
        return chunk

    def lines(self, longest: int) -> Iterator[bytes]:
        """Yield the lines that are not blank, each as soon as it is there.

        Args:
            longest: bytes that one may have.
        """
        rest = b""
        while chunk := self._some():
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > longest:
                raise InvalidResponseError(
                    f"the docker engine at {self._address} sent a line without an end"
                )
            yield from (line for line in whole if line.strip())
        if rest.strip():
            yield rest

    def _some(self) -> bytes:
        with in_words(self._address, moving=True):
            chunk = self._response.read1(_CHUNK)
        self._check_end(chunk)
        return chunk

    def _check_end(self, chunk: bytes) -> None:
        # The library says so by itself only where the answer comes in chunks.
        if not chunk and self._response.length:
            raise lost(self._address)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._response.close()
        self._connection.close()


def connect(address: EngineAddress, *, connect_timeout: float) -> HTTPConnection:
    """Connect to an engine.

    Args:
        address: where it is.
        connect_timeout: seconds to wait for the connection, and for each piece of its answers
            until another timeout is set on the connection's socket.

    Raises:
        ConnectionFailedError: nobody answers there.
        DeniedError: this account may not use the socket.
        TimedOutError: nobody answered in time.
        TlsError: no trusted connection came about.
        UnsupportedError: this system has no such sockets.
    """
    from http.client import HTTPConnection

    context = _tls_context(address.tls) if address.tls and not address.path else None
    host = "docker" if address.path else address.host
    connection = HTTPConnection(host, address.port or None, timeout=connect_timeout)
    with in_words(address):
        connection.sock = _connected(address, connect_timeout, context)
    return connection


def _connected(
    address: EngineAddress, timeout: float, context: ssl.SSLContext | None
) -> socket.socket:
    if not address.path:
        plain = socket.create_connection((address.host, address.port), timeout)
    else:
        if not hasattr(socket, "AF_UNIX"):  # pragma: no cover on Windows
            raise UnsupportedError("this system has no unix sockets", hint=EXAMPLES)
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plain.settimeout(timeout)
    try:
        if address.path:
            plain.connect(address.path)
        return context.wrap_socket(plain, server_hostname=address.host) if context else plain
    except BaseException:
        plain.close()
        raise


def _tls_context(folder: Path) -> ssl.SSLContext:
    """Trust what docker would with certificates in this directory."""
    import ssl

    authority, certificate, key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
    try:
        context = ssl.create_default_context(cafile=authority if authority.exists() else None)
        if certificate.exists() and key.exists():
            # Without a password of ours a locked key would make the library ask on the terminal.
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        reason = error.strerror or "they are no PEM files"
        raise TlsError(
            f"the certificates in {folder} cannot be used: {reason}",
            hint="DOCKER_CERT_PATH names the directory of ca.pem, cert.pem and key.pem",
        ) from error
    return context


@contextmanager
def in_words(address: EngineAddress, *, moving: bool = False) -> Iterator[None]:
    """Turn errors of sockets and HTTP into ours.

    Args:
        address: who is talked to.
        moving: whether the connection had come about.
    """
    from http.client import HTTPException

    try:
        yield
    except GhcrctlError:
        raise
    except OSError as error:
        raise _translated(error, address, moving=moving) from error
    except (HTTPException, ValueError) as error:
        raise _broken(address, error) from error


def _broken(address: EngineAddress, error: Exception) -> GhcrctlError:
    """Word what is wrong with an answer's form."""
    from http.client import IncompleteRead, RemoteDisconnected

    if isinstance(error, (IncompleteRead, RemoteDisconnected)):
        return lost(address)
    return InvalidResponseError(
        f"the docker engine at {address} sent an answer that breaks the rules of HTTP"
    )


def lost(address: EngineAddress) -> ConnectionLostError:
    """Word that a connection broke."""
    return ConnectionLostError(
        f"the connection to the docker engine at {address} was lost",
        hint="see whether it runs: docker version",
        retryable=True,
    )


def _translated(error: OSError, address: EngineAddress, *, moving: bool) -> GhcrctlError:
    import ssl

    if moving and isinstance(error, ssl.SSLEOFError):
        return lost(address)
    if isinstance(error, ssl.SSLError):
        return _tls_error(error, address)
    if isinstance(error, TimeoutError):
        return TimedOutError(
            f"the docker engine at {address} did not answer in time",
            hint="see whether it runs: docker version",
        )
    if moving:
        return lost(address)
    if isinstance(error, PermissionError):
        return DeniedError(
            f"this account may not use the docker engine at {address}",
            hint="be root, or of the socket's group: sudo usermod -aG docker $USER, "
            "then sign in to the machine anew",
        )
    return ConnectionFailedError(
        f"no docker engine answers at {address}: {_reason(error)}",
        hint="is dockerd running? start it, as with: systemctl start docker; "
        "DOCKER_HOST names an engine elsewhere",
    )


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its name does not resolve"
    if isinstance(error, FileNotFoundError):
        return "there is no such socket"
    return (error.strerror or str(error)).lower()


def _tls_error(error: ssl.SSLError, address: EngineAddress) -> TlsError:
    text = str(error)
    who = f"the docker engine at {address}"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return TlsError(
            f"the certificate of {who} is not trusted: {why or 'verification failed'}",
            hint=f"{address.tls}/ca.pem is the authority to trust",
        )
    if "ALERT" in text:
        return TlsError(
            f"{who} wants a client certificate that it trusts",
            hint=f"it is read from {address.tls}/cert.pem and {address.tls}/key.pem",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        return TlsError(f"{who} does not speak TLS", hint="unset DOCKER_TLS_VERIFY")
    return TlsError(f"no TLS connection to {who} came about")
