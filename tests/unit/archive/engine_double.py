"""A docker engine with the image API, on a real socket, with scripted faults.

Source: Docker's documentation, "Docker Engine API" 1.41: SystemPing, ImageGetAll, ImageLoad,
ImageTag, ImageInspect; the error answers as docker 20.10 was seen to give them.
"""

from __future__ import annotations

import json
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from typing_extensions import Self


@dataclass
class EngineDouble:
    """The state of the engine, its log of requests, and its faults.

    Args:
        address: as in DOCKER_HOST.
        images: what inspecting shows, by name.
        saved: what saving gives.
        loaded: the lines that loading answers with.
        script: whole answers by the end of a path, given in place of a right one.
        silent: whether it never answers.
    """

    address: str = ""
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: bytes = b""
    loaded: list[bytes] = field(default_factory=list)
    script: dict[str, bytes] = field(default_factory=dict)
    version: str = "1.41"
    silent: threading.Event | None = None
    requested: list[str] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    received: list[bytes | None] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _UnixServer | _TcpServer

    def address_string(self) -> str:
        return "octo"

    def log_message(self, *args: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        double = self.server.double
        parts = urlsplit(self.path)
        double.requested.append(f"{self.command} {parts.path}")
        double.queries.append(parse_qs(parts.query))
        self.close_connection = True
        if double.silent:
            double.silent.wait(20)
            return
        for end, whole in double.script.items():
            if parts.path.endswith(end):
                self.wfile.write(whole)
                return
        self._answer_well(double, parts.path, parse_qs(parts.query))

    def _answer_well(self, double: EngineDouble, path: str, query: dict[str, list[str]]) -> None:
        name = unquote(path.partition("/images/")[2].rpartition("/")[0])
        if path.endswith("/_ping"):
            self._say(200, b"OK", {"Api-Version": double.version} if double.version else {})
        elif path.endswith("/images/get"):
            lacking = [wanted for wanted in query["names"] if wanted not in double.images]
            if lacking:
                self._say_lacking(lacking[0])
            else:
                self._say_in_chunks(double.saved)
        elif path.endswith("/images/load"):
            double.received.append(self._chunked_body())
            self._say_in_chunks(b"".join(double.loaded))
        elif name not in double.images:
            self._say_lacking(name)
        elif path.endswith("/tag"):
            self._say(201, b"")
        else:
            self._say(200, json.dumps(double.images[name]).encode())

    def _say_lacking(self, name: str) -> None:
        output = {"message": f"no such image: {name}: No such image: {name}"}
        self._say(404, json.dumps(output).encode() + b"\n")

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def _say_in_chunks(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 1000):
            self.wfile.write(in_chunk(body[start : start + 1000]))
        self.wfile.write(b"0\r\n\r\n")

    def _chunked_body(self) -> bytes | None:
        """Read a body; ``None`` if it is incomplete."""
        assert self.headers["Content-Type"] == "application/x-tar"
        assert self.headers["Transfer-Encoding"] == "chunked"
        body = bytearray()
        while line := self.rfile.readline():
            size = int(line, 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return bytes(body)
        return None


def in_chunk(data: bytes) -> bytes:
    """Return a chunk of a body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    double: EngineDouble

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    double: EngineDouble

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


class RunningDouble:
    """A running double on a Unix socket in a folder, or on loopback."""

    def __init__(self, folder: Path | None, context: ssl.SSLContext | None = None) -> None:
        self.double = EngineDouble()
        self._server: _UnixServer | _TcpServer
        if folder:
            self._server = _UnixServer(str(folder / "sock"), _Handler)
            self.double.address = f"unix://{folder}/sock"
        else:
            self._server = _TcpServer(("127.0.0.1", 0), _Handler)
            self.double.address = f"tcp://127.0.0.1:{self._server.server_address[1]}"
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.double = self.double
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.double.silent:
            self.double.silent.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
