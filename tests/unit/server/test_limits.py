"""The server's limits, tested over raw connections."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import NoSpaceError
from ghcrctl.oci.digest import Digest
from ghcrctl.server import staged_uploads
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.connections import MAX_HEADERS, MAX_LINE
from ghcrctl.server.host_guard import HostGuard
from ghcrctl.server.memory_backend import MemoryBackend
from ghcrctl.server.serve import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = b"Host: localhost\r\n"
PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def server(uploads: Path) -> Iterator[Server]:
    app = RegistryApp(MemoryBackend(), upload_dir=uploads, guard=HostGuard("127.0.0.1", ["proxy"]))
    with Server(app, head_seconds=1.0) as made:
        yield made


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        yield client


def received(client: socket.socket) -> bytes:
    """Read up to the end of a response's head, or of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            block = client.recv(4096)
        except ConnectionResetError:
            break
        if not block:
            break
        data += block
    return data


def send(server: Server, request: bytes) -> bytes:
    with connected(server) as client:
        client.sendall(request)
        return received(client)


def status(server: Server, request: bytes) -> int:
    found = send(server, request)
    assert found.startswith(b"HTTP/1.1 "), found
    return int(found[9:12])


def get(*headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"GET /v2/ HTTP/" + version + b"\r\n" + lines + b"\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        (b"Content-Length: 5", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5, 5",),
        (b"Content-Length: +5",),
        (b"Content-Length: 0x5",),
        (b"Content-Length: 1_0",),
        (b"Content-Length: -1",),
        (b"Content-Length: ",),
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked, chunked",),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: identity",),
        (b"Content-Range: 0-4", b"Content-Range: 5-9"),
        (b"Content-Length : 5",),
        (b" Content-Length: 5",),
        (b"X-A: b", b" Content-Length: 5"),
        (b"X-A: b\x00c",),
        (b"no colon",),
        (b": no name",),
        (b"Host: localhost",),
    ],
)
def test_ambiguous_request_is_400(server: Server, headers: tuple[bytes, ...]) -> None:
    lines = b"".join(header + b"\r\n" for header in headers)
    assert status(server, POST + lines + b"\r\nhello") == 400


def test_chunked_body_requires_http_1_1(server: Server) -> None:
    request = b"POST /v2/a/b/blobs/uploads/ HTTP/1.0\r\nConnection: Keep-Alive\r\n"
    assert status(server, request + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400


def test_http_1_1_requires_a_host_header(server: Server) -> None:
    assert status(server, get()) == 400
    assert status(server, get(version=b"1.0")) == 200


def test_headers_with_underscores_are_ignored(server: Server) -> None:
    assert status(server, get(HOST.strip(), b"Content_Length: 5", b"X_Y: 1")) == 200


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (b"GET /" + b"a" * MAX_LINE + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (get(HOST.strip(), b"X-A: " + b"a" * MAX_LINE), 400),
        (get(HOST.strip(), b"X-A: " + b"a" * 200_000), 413),
        (get(HOST.strip(), *(b"X-%d: a" % n for n in range(MAX_HEADERS + 1))), 400),
        (get(HOST.strip(), *(b"X-%d: " % n + b"a" * 7000 for n in range(20))), 413),
    ],
)
def test_request_heads_are_limited(server: Server, request_: bytes, wanted: int) -> None:
    assert status(server, request_) == wanted
    assert status(server, PING) == 200


def test_headers_of_a_browser_are_within_the_limits(server: Server) -> None:
    headers = [b"X-%d: " % n + b"a" * 400 for n in range(60)]
    assert status(server, get(HOST.strip(), *headers, b"Cookie: " + b"a" * 4000)) == 200


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /v2/ HT",
        b"GET /v2/ HTTP/1.1\r\nHost: loc",
        POST + b"Content-Length: 100000\r\n\r\nabc",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_hundred_slow_clients_do_not_block_another(server: Server, begun: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connected(server)).sendall(begun)
        assert status(server, PING) == 200


def test_slow_clients_do_not_delay_stop(uploads: Path) -> None:
    app = RegistryApp(MemoryBackend(), upload_dir=uploads)
    server = Server(app, head_seconds=1000, cleanup=app.close)
    server.start()
    with ExitStack() as stack:
        for number in range(200):
            client = stack.enter_context(connected(server))
            begun = (b"GET /v2/ HT", POST + b"Content-Length: 100000\r\n\r\nabc")
            client.sendall(begun[number % 2])
        assert status(server, PING) == 200
        ended = Thread(target=server.stop)
        ended.start()
        ended.join(15)
        assert not ended.is_alive()
    assert list(uploads.glob("*")) == []


def _trickle(client: socket.socket, seconds: float) -> None:
    """Send single bytes; each restarts the timeout of a read."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.sendall(b"X")
        time.sleep(0.05)


def test_slow_request_head_closes_the_connection(server: Server) -> None:
    with connected(server) as client:
        client.sendall(b"GET /v2/ HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|pipe|abort"):
            _trickle(client, 15)


def test_huge_rejected_body_closes_the_connection(server: Server) -> None:
    head = b"PUT /v2/a/b/manifests/v1 HTTP/1.1\r\n" + HOST
    found = send(server, head + b"Content-Length: 100000000000\r\n\r\nabc")
    assert found.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in found


def test_short_unread_body_keeps_the_connection(server: Server) -> None:
    with connected(server) as client:
        for _ in range(3):
            client.sendall(b"GET /v2/ HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc")
            found = received(client)
            assert found.startswith(b"HTTP/1.1 200 ")
            while not found.endswith(b"{}"):
                found += client.recv(10)


# Host and Origin


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("localhost", 200),
        ("localhost:5000", 200),
        ("LOCALHOST.:5000", 200),
        ("registry.localhost:5000", 200),
        ("127.0.0.1:5000", 200),
        ("127.1.2.3", 200),
        ("[::1]:5000", 200),
        ("proxy", 200),
        ("proxy:443", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example:5000", 403),
        ("evil.example:127", 403),
        ("169.254.169.254", 403),
        ("[fe80::1]:5000", 403),
        ("notlocalhost", 403),
    ],
)
def test_host_header_on_loopback(server: Server, host: str, wanted: int) -> None:
    assert status(server, get(b"Host: " + host.encode())) == wanted


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ((b"Origin: http://localhost:5000",), 200),
        ((b"Origin: http://evil.example",), 403),
        ((b"Origin: http://localhost:3000",), 403),
        ((b"Origin: null",), 403),
        ((b"Sec-Fetch-Site: cross-site",), 403),
        ((b"Sec-Fetch-Site: same-site",), 403),
        ((b"Sec-Fetch-Site: same-origin",), 200),
        ((b"Sec-Fetch-Site: none",), 200),
    ],
)
def test_other_origins_are_rejected(
    server: Server, headers: tuple[bytes, ...], wanted: int
) -> None:
    assert status(server, get(b"Host: localhost:5000", *headers)) == wanted


def test_any_host_but_no_other_origin_is_allowed_on_other_addresses(tmp_path: Path) -> None:
    app = RegistryApp(MemoryBackend(), upload_dir=tmp_path, guard=HostGuard("0.0.0.0"))
    with Server(app) as server:
        assert status(server, get(b"Host: registry.example")) == 200
        assert status(server, get(b"Host: registry.example", b"Origin: http://evil.example")) == 403


# Uploads


def _begin(server: Server) -> bytes:
    found = send(server, POST + b"Content-Length: 0\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 202 "), found
    return found.partition(b"Location: ")[2].partition(b"\r\n")[0]


def test_abandoned_uploads_expire(server: Server, uploads: Path) -> None:
    old, fresh = _begin(server), _begin(server)
    (path,) = (p for p in uploads.iterdir() if p.name.split(".")[0].encode() in old)
    long_ago = time.time() - staged_uploads.MAX_IDLE_SECONDS - 10
    os.utime(path, (long_ago, long_ago))
    assert status(server, b"GET " + old + b" HTTP/1.1\r\n" + HOST + b"\r\n") == 404
    assert status(server, b"GET " + fresh + b" HTTP/1.1\r\n" + HOST + b"\r\n") == 204
    assert len(list(uploads.iterdir())) == 1


def test_number_of_unfinished_uploads_is_limited(
    server: Server, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_uploads, "MAX_UPLOADS", 3)
    first = _begin(server)
    for _ in range(2):
        _begin(server)
    assert status(server, POST + b"Content-Length: 0\r\n\r\n") == 429
    assert len(list(uploads.iterdir())) == 3
    cancel = b"DELETE " + first + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    assert status(server, cancel) == 204
    _begin(server)


@pytest.mark.parametrize(
    ("span", "body", "wanted"),
    [
        (b"0-99", b"", 400),
        (b"0-4", b"abc", 400),
        (b"0-1", b"abc", 400),
        (b"0-2", b"abc", 202),
        (b"3-5", b"abc", 416),
        (b"5-3", b"", 400),
        (b"no range", b"abc", 400),
        (b"0-" + b"9" * 30, b"abc", 400),
    ],
)
def test_range_that_does_not_match_the_body_is_rejected(
    server: Server, span: bytes, body: bytes, wanted: int
) -> None:
    location = _begin(server)
    head = b"PATCH " + location + b" HTTP/1.1\r\n" + HOST + b"Content-Range: " + span
    length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert status(server, head + length + body) == wanted


def test_upload_without_its_file_is_404(server: Server, uploads: Path) -> None:
    location = _begin(server)
    for path in uploads.iterdir():
        path.unlink()
    digest = str(Digest.of(b"")).encode()
    finish = b"PUT " + location + b"?digest=" + digest + b" HTTP/1.1\r\n" + HOST
    assert status(server, finish + b"Content-Length: 0\r\n\r\n") == 404


def test_upload_larger_than_the_disk_is_507(server: Server) -> None:
    location = _begin(server)
    head = b"PATCH " + location + b" HTTP/1.1\r\n" + HOST
    assert status(server, head + b"Content-Length: 100000000000000000\r\n\r\nabc") == 507
    assert status(server, b"GET " + location + b" HTTP/1.1\r\n" + HOST + b"\r\n") == 204


@pytest.mark.needs("/dev/full")
def test_full_disk_raises_no_space_error() -> None:
    upload = staged_uploads.Upload("id", "a/b", Path("/dev/full"))
    with pytest.raises(NoSpaceError):
        upload.append([b"abc"])
