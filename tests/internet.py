"""The internet on loopback: a proxy with our servers behind the names of real hosts.

It answers for each name with a certificate of its own authority. So what a test runs says
``ghcr.io`` and ``docker.io``, to the letter as people do.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_PIECE = 65536


class Internet:
    """A proxy in front of servers on loopback.

    Args:
        ports: the port on loopback, without TLS, of each host.

    Attributes:
        unknown: the hosts that were asked for and are not there.
    """

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = dict(ports)
        self.unknown: set[str] = set()
        self._authority = trustme.CA()
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*self.ports).configure_cert(self.tls)
        self._server = _Proxy(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def write_authority(self, path: Path) -> None:
        """Write the CA certificate for all hosts."""
        self._authority.cert_pem.write_to_path(str(path))


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, internet: Internet) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.internet = internet

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client may disconnect at any time."""


class _Tunnel(socketserver.StreamRequestHandler):
    """A ``CONNECT`` request (RFC 9110, section 9.3.6)."""

    server: _Proxy
    # The client sends nothing before the response, so nothing can be read ahead.
    rbufsize = 0

    def handle(self) -> None:
        internet = self.server.internet
        host = self.rfile.readline().decode("latin-1").split(" ")[1].partition(":")[0]
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        if host not in internet.ports:
            internet.unknown.add(host)
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with (
            contextlib.suppress(OSError),
            internet.tls.wrap_socket(self.connection, server_side=True) as client,
            socket.create_connection(("127.0.0.1", internet.ports[host])) as server,
        ):
            _carry(client, server)


def _carry(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Forward bytes in both directions until one side ends."""
    while True:
        # Data that TLS has already read does not show on the socket.
        waiting = [] if client.pending() else [client, server]
        ready = select.select(waiting, [], [], 60)[0] if waiting else [client]
        if not ready:
            return
        for source in ready:
            data = source.recv(_PIECE)
            if not data:
                return
            (server if source is client else client).sendall(data)
