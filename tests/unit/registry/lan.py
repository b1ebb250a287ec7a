"""A server on loopback with scripted responses."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from typing_extensions import Self


class Lan:
    """A server.

    Args:
        tls: its TLS context; plain HTTP without.

    Attributes:
        seen: method and target of each request.
        headers: the headers of each request.
        connections: the client address of each request.
        act: handles a request.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.connections: list[tuple[str, int]] = []
        self.act: Callable[[BaseHTTPRequestHandler], None] = lambda handler: answer(handler, b"")
        self._tls = tls
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def wrapped(self, connection: Any) -> Any:
        """Add TLS to a connection; its thread does the handshake."""
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, lan: Lan) -> None:
        class Handler(_Handler):
            place = lan

        self._lan = lan
        super().__init__(("127.0.0.1", 0), Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.settimeout(10)
        return self._lan.wrapped(connection), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients that hang up or reject the certificate are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place: Lan

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self.place.seen.append((self.command, self.path))
        self.place.headers.append(dict(self.headers))
        self.place.connections.append(self.client_address)
        self.place.act(self)

    do_CONNECT = do_GET  # noqa: N815 the library's name
    do_DELETE = do_GET  # noqa: N815 the library's name
    do_HEAD = do_GET  # noqa: N815 the library's name

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Print nothing."""


def answer(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    announced: int | None = None,
    *,
    status: int = 200,
    **headers: str,
) -> None:
    """Send a response. ``announced``: a false ``Content-Length``."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if announced is None else announced))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
    handler.close_connection |= announced is not None
