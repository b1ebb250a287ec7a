"""The internet on loopback: a proxy behind which ghcr.io and GitHub are doubles that speak TLS.

What belongs here: leading each host's name to a server of ours, so that a run of the program sees
the names that people see.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

STORAGE = "pkg-containers.githubusercontent.com"


class Internet:
    """A proxy for HTTPS whose tunnels end here.

    Args:
        hosts: the port of the server, without TLS, that each name leads to.
    """

    def __init__(self, hosts: Mapping[str, int]) -> None:
        self._authority = trustme.CA()
        self._contexts = {name: self._context(name) for name in hosts}
        self._hosts = hosts
        self._server = _Proxy(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def write_authority(self, path: Path) -> None:
        """Write the certificate that vouches for every host here."""
        self._authority.cert_pem.write_to_path(str(path))

    def tunnel(self, client: socket.socket, name: str) -> None:
        """Be a host for a client until one of the two ends it."""
        if name not in self._hosts:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            suppress(OSError),
            self._contexts[name].wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", self._hosts[name])) as server,
        ):
            back = threading.Thread(target=_pump, args=(server, secured))
            back.start()
            _pump(secured, server)
            back.join()

    def _context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name).configure_cert(context)
        return context


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, internet: Internet) -> None:
        self.internet = internet
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that trust nobody are part of the tests."""


class _Handler(socketserver.StreamRequestHandler):
    # What comes after the request's head is the tunnel's.
    rbufsize = 0

    def handle(self) -> None:
        target = self.rfile.readline().split(b" ")[1].decode()
        while self.rfile.readline().strip():
            pass
        assert isinstance(self.server, _Proxy)
        self.server.internet.tunnel(self.request, target.partition(":")[0])


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Move bytes one way until they end; then nothing goes either way any more."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for side in (source, target):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
