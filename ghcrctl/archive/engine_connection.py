"""HTTP connections to a docker engine over Unix sockets, TCP and TLS.

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


class EngineResponse:
    """A response of an engine.

    Args:
        connection: connection of the response, which is closed with it.
        response: HTTP response whose head was read.
        address: address of the engine.
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
        """Return the value of a header; empty if it is missing."""
        return self._response.getheader(name) or ""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes; fewer only at the end.

        Raises:
            ConnectionLostError: the connection was closed early.
        """
        with translate_errors(self._address, connected=True):
            chunk = self._response.read(size)
        self._check_end(chunk)
        return chunk

    def lines(self, longest: int) -> Iterator[bytes]:
        """Yield non-blank lines as they arrive.

        Args:
            longest: maximum length of a line (bytes).
        """
        rest = b""
        while chunk := self._read_available():
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > longest:
                raise InvalidResponseError(
                    f"the docker engine at {self._address} sent a line that is too long"
                )
            yield from (line for line in whole if line.strip())
        if rest.strip():
            yield rest

    def _read_available(self) -> bytes:
        with translate_errors(self._address, connected=True):
            chunk = self._response.read1(_CHUNK)
        self._check_end(chunk)
        return chunk

    def _check_end(self, chunk: bytes) -> None:
        # The library raises an error by itself only for chunked responses.
        if not chunk and self._response.length:
            raise connection_lost(self._address)

    def close(self) -> None:
        """Close the connection; can be called twice."""
        self._response.close()
        self._connection.close()


def connect(address: EngineAddress, *, connect_timeout: float) -> HTTPConnection:
    """Connect to an engine.

    Args:
        address: address of the engine.
        connect_timeout: time limit for connecting, and for each read until another timeout is set
            on the connection's socket (seconds).

    Raises:
        ConnectionFailedError: no engine listens on the address.
        DeniedError: the user is not allowed to access the socket.
        TimedOutError: the engine did not respond in time.
        TlsError: the TLS handshake failed.
        UnsupportedError: the system has no Unix sockets.
    """
    from http.client import HTTPConnection

    context = _tls_context(address.tls) if address.tls and not address.path else None
    host = "docker" if address.path else address.host
    connection = HTTPConnection(host, address.port or None, timeout=connect_timeout)
    with translate_errors(address):
        connection.sock = _connected(address, connect_timeout, context)
    return connection


def _connected(
    address: EngineAddress, timeout: float, context: ssl.SSLContext | None
) -> socket.socket:
    if not address.path:
        plain = socket.create_connection((address.host, address.port), timeout)
    else:
        if not hasattr(socket, "AF_UNIX"):  # pragma: no cover on Windows
            raise UnsupportedError("this system does not support Unix sockets", hint=EXAMPLES)
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
    """Build a TLS context from the certificates in a directory, as docker does."""
    import ssl

    authority, certificate, key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
    try:
        context = ssl.create_default_context(cafile=authority if authority.exists() else None)
        if certificate.exists() and key.exists():
            # With an empty password, the library does not prompt for one if the key is encrypted.
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        reason = error.strerror or "invalid PEM file"
        raise TlsError(
            f"cannot read the certificates in {folder}: {reason}",
            hint="set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem",
        ) from error
    return context


@contextmanager
def translate_errors(address: EngineAddress, *, connected: bool = False) -> Iterator[None]:
    """Translate errors of sockets and HTTP.

    Args:
        address: address of the engine.
        connected: whether the connection was established.
    """
    from http.client import HTTPException

    try:
        yield
    except GhcrctlError:
        raise
    except OSError as error:
        raise _translated(error, address, connected=connected) from error
    except (HTTPException, ValueError) as error:
        raise _broken(address, error) from error


def _broken(address: EngineAddress, error: Exception) -> GhcrctlError:
    """Build the error for an invalid HTTP response."""
    from http.client import IncompleteRead, RemoteDisconnected

    if isinstance(error, (IncompleteRead, RemoteDisconnected)):
        return connection_lost(address)
    return InvalidResponseError(f"the docker engine at {address} sent an invalid HTTP response")


def connection_lost(address: EngineAddress) -> ConnectionLostError:
    """Build the error for a lost connection."""
    return ConnectionLostError(
        f"the connection to the docker engine at {address} was lost",
        hint="check whether the engine runs: docker version",
        retryable=True,
    )


def _translated(error: OSError, address: EngineAddress, *, connected: bool) -> GhcrctlError:
    import ssl

    if connected and isinstance(error, ssl.SSLEOFError):
        return connection_lost(address)
    if isinstance(error, ssl.SSLError):
        return _tls_error(error, address)
    if isinstance(error, TimeoutError):
        return TimedOutError(
            f"the docker engine at {address} did not respond in time",
            hint="check whether the engine runs: docker version",
        )
    if connected:
        return connection_lost(address)
    if isinstance(error, PermissionError):
        return DeniedError(
            f"permission denied for the docker engine at {address}",
            hint="join the docker group and log in again: sudo usermod -aG docker $USER",
        )
    return ConnectionFailedError(
        f"cannot connect to the docker engine at {address}: {_reason(error)}",
        hint="start the engine: systemctl start docker; or set DOCKER_HOST",
    )


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "host not found"
    if isinstance(error, FileNotFoundError):
        return "socket not found"
    return (error.strerror or str(error)).lower()


def _tls_error(error: ssl.SSLError, address: EngineAddress) -> TlsError:
    text = str(error)
    who = f"the docker engine at {address}"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return TlsError(
            f"the certificate of {who} is not trusted: {why or 'verification failed'}",
            hint=f"put the certificate of its CA into {address.tls}/ca.pem",
        )
    if "ALERT" in text:
        return TlsError(
            f"{who} requires a client certificate",
            hint=f"put it into {address.tls}/cert.pem and its key into {address.tls}/key.pem",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        return TlsError(f"{who} does not support TLS", hint="unset DOCKER_TLS_VERIFY")
    return TlsError(f"TLS handshake with {who} failed")
