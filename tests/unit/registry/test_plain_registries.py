"""Registries on this machine without TLS, and how they react to TLS."""

from __future__ import annotations

import socketserver
import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import TimedOutError
from ghcrctl.registry import authenticated_client
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.transport_options import TransportOptions

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

_HANDSHAKE = b"\x16"
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n" + b'{"tags": ["a"]}'
)


def _wait(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def _hang_up(connection: socket.socket) -> None:
    connection.close()


def _refuse(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a plain HTTP server with a scripted reaction to TLS handshakes; return its host."""
    servers: list[socketserver.TCPServer] = []

    def start(treat: Callable[[socket.socket], None]) -> str:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data = self.request.recv(65536)
                if data.startswith(_HANDSHAKE):
                    treat(self.request)
                elif data:
                    self.request.sendall(_RESPONSE)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("treat", [_wait, _hang_up, _refuse])
def test_a_local_registry_without_tls_is_used(
    serve: Callable[[Callable[[socket.socket], None]], str],
    monkeypatch: pytest.MonkeyPatch,
    treat: Callable[[socket.socket], None],
) -> None:
    monkeypatch.setattr(authenticated_client, "_PROBE_SECONDS", 0.3)
    host = serve(treat)
    options = TransportOptions(retry=RetryPolicy(attempts=5, base=10.0), stall_timeout=5.0)
    client = RegistryClient(host, credentials=None, options=options, warn=print)
    assert client.http.base() == f"http://{host}"
    assert list(client.tags("octo/image")) == ["a"]
    client.close()


def test_a_silent_host_is_only_tried_once_with_tls() -> None:
    openings: list[bytes] = []

    class Silent(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            openings.append(self.request.recv(1))
            _wait(self.request)

    options = TransportOptions(connect_timeout=30, stall_timeout=0.3, retry=RetryPolicy(attempts=1))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        client = RegistryClient(host, credentials=None, options=options, warn=pytest.fail)
        with pytest.raises(TimedOutError, match=r"no data after 0\.3 s"):
            list(client.tags("octo/image"))
        client.close()
        server.shutdown()
    assert openings == [_HANDSHAKE, b"G"]
