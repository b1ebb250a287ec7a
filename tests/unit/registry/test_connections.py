"""Connections that fail, stall, end, are reused or go through a proxy, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    ExitStatus,
    NetworkError,
    ProxyError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.body_stream import BodyStream
from ghcrctl.registry.connections import AddressOrder
from tests.unit.registry.lan import Lan, answer

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from ghcrctl.registry.transport import Transport


@pytest.fixture
def transport(transport: Transport) -> Transport:
    """A transport that trusts this machine because the user named it."""
    transport.guard.trust("http://127.0.0.1/")
    return transport


def test_a_silent_host_times_out(lan: Lan, transport: Transport, waits: list[float]) -> None:
    ended = threading.Event()

    def say_nothing(_: BaseHTTPRequestHandler) -> None:
        ended.wait(10)

    lan.act = say_nothing
    with pytest.raises(TimedOutError) as caught:
        transport.request("GET", lan.url)
    ended.set()
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "no data after 0.3 s" in caught.value.message
    assert "--stall-timeout" in (caught.value.hint or "")
    assert len(waits) == 2


def test_a_stalled_body_times_out(lan: Lan, transport: Transport) -> None:
    ended = threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, b"half", announced=8)
        handler.wfile.flush()
        ended.wait(10)

    lan.act = stall
    stream = BodyStream(transport.request("GET", lan.url))
    with pytest.raises(TimedOutError) as caught:
        list(iter(lambda: stream.read(8), b""))
    ended.set()
    stream.close()
    assert caught.value.retryable


def test_a_body_that_is_shorter_than_announced_is_lost(lan: Lan, transport: Transport) -> None:
    lan.act = lambda handler: answer(handler, b"half", announced=8)
    stream = BodyStream(transport.request("GET", lan.url))
    with pytest.raises(ConnectionLostError) as caught:
        list(iter(lambda: stream.read(2), b""))
    stream.close()
    assert caught.value.retryable


def test_a_connection_closed_at_once_is_retried(
    lan: Lan, transport: Transport, waits: list[float]
) -> None:
    def close_twice(handler: BaseHTTPRequestHandler) -> None:
        if len(lan.seen) > 2:
            answer(handler, b"at last")
            return
        connection: socket.socket = handler.connection
        connection.close()
        handler.close_connection = True

    lan.act = close_twice
    assert transport.request("GET", lan.url).text == "at last"
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/", "refused the connection"),
        ("http://nowhere.example/", "cannot resolve the host name"),
    ],
)
def test_an_unreachable_host_is_an_error(transport: Transport, url: str, words: str) -> None:
    with pytest.raises(ConnectionFailedError, match=words) as caught:
        transport.request("GET", url)
    assert caught.value.exit_status is ExitStatus.NETWORK


def test_a_host_without_tls_is_an_error(lan: Lan, transport: Transport) -> None:
    with pytest.raises(TlsError, match="does not speak TLS") as caught:
        transport.request("GET", lan.url.replace("http", "https"))
    assert "--insecure" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("variable", "url", "seen"),
    [
        ("HTTP_PROXY", "http://registry.example/v2/", ("GET", "http://registry.example/v2/")),
        ("HTTPS_PROXY", "https://registry.example/v2/", ("CONNECT", "registry.example:443")),
    ],
)
def test_a_proxy_of_the_environment_is_used(
    lan: Lan,
    transport: Transport,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    url: str,
    seen: tuple[str, str],
) -> None:
    lan.act = lambda handler: handler.send_error(407)
    monkeypatch.setenv(variable, lan.url)
    with pytest.raises(ProxyError, match=f"{variable}.*407"):
        transport.request("GET", url)
    assert lan.seen == [seen]


def test_no_proxy_names_hosts_to_reach_without_it(
    lan: Lan, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan.act = lambda handler: answer(handler, b"direct")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert transport.request("GET", f"{lan.url}/x").text == "direct"
    assert lan.seen == [("GET", "/x")]


def test_connecting_times_out(transport: Transport, waits: list[float]) -> None:
    with socket.socket() as busy, contextlib.ExitStack() as queue:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for _ in range(2):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(busy.getsockname())
        with pytest.raises(TimedOutError, match="timed out: no connection") as caught:
            transport.request("GET", f"http://127.0.0.1:{busy.getsockname()[1]}/")
    assert "--connect-timeout" in (caught.value.hint or "")
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert waits == []


def test_an_unreachable_proxy_is_an_error(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:verysecret@127.0.0.1:9")
    with pytest.raises(ProxyError, match=r"registry\.example through the proxy") as caught:
        transport.request("GET", "https://registry.example/v2/")
    assert "NO_PROXY" in (caught.value.hint or "")
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "verysecret" not in f"{caught.value} {caught.value.hint} {said}"


def test_a_proxy_does_not_get_the_registrys_credential(
    lan: Lan, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan.act = lambda handler: answer(handler, b"", status=403)
    monkeypatch.setenv("HTTPS_PROXY", lan.url)
    with pytest.raises(NetworkError):
        transport.request("GET", "https://registry.example/v2/", authorization="Bearer verysecret")
    assert lan.seen
    assert "verysecret" not in str(lan.headers)


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [
        ("HEAD", 200, b"x" * 1000),
        ("HEAD", 404, b""),
        ("POST", 202, b""),
        ("DELETE", 202, b""),
        ("GET", 200, b""),
    ],
)
def test_a_connection_is_reused_after_an_empty_response(
    lan: Lan, transport: Transport, method: str, status: int, body: bytes
) -> None:
    lan.act = lambda handler: answer(handler, body, status=status)
    for _ in range(4):
        transport.request(method, lan.url).close()
    assert len(lan.connections) == 4
    assert len(set(lan.connections)) == 1


@pytest.mark.parametrize("status", [307, 503])
def test_a_connection_is_reused_after_a_redirect(
    lan: Lan, transport: Transport, status: int
) -> None:
    def lead_on(handler: BaseHTTPRequestHandler) -> None:
        if len(lan.seen) < 3:
            answer(handler, b"elsewhere", status=status, Location=f"/{len(lan.seen)}")
        else:
            answer(handler, b"here")

    lan.act = lead_on
    assert transport.request("GET", lan.url).text == "here"
    assert len(lan.connections) == 3
    assert len(set(lan.connections)) == 1


def test_the_body_of_a_redirect_is_not_read_without_end(lan: Lan, transport: Transport) -> None:
    sent = 0

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        if len(lan.seen) > 1:
            answer(handler, b"here")
            return
        handler.send_response(307)
        handler.send_header("Location", "/x")
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        while True:
            sent += handler.connection.send(b"x" * 65536)

    lan.act = redirect
    assert transport.request("GET", lan.url).text == "here"
    assert sent < 50_000_000


def test_closing_ends_every_connection(lan: Lan, transport: Transport) -> None:
    lan.act = lambda handler: answer(handler, b"x")
    kept: list[Any] = [transport.request("GET", lan.url) for _ in range(3)]
    assert [response.content for response in kept] == [b"x"] * 3
    transport.close()


def test_after_wrong_bytes_another_address_is_tried_first(lan: Lan, transport: Transport) -> None:
    order = AddressOrder()
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    order.note("192.0.2.1")
    assert order.sorted(addresses) == addresses
    order.mark_suspect()
    assert order.sorted(addresses) == ["192.0.2.2", "192.0.2.3", "192.0.2.1"]
    transport.request("GET", lan.url).close()
    transport.request("GET", lan.url).close()
    transport.reconnect()
    transport.request("GET", lan.url).close()
    assert len(set(lan.connections)) == 2
