"""Every proxy failure is reported as such; with proxies on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import ConnectionLostError, GhcrctlError, ProxyError, TimedOutError
from ghcrctl.github.client import GitHub
from ghcrctl.github.github_hosts import instance_of
from ghcrctl.registry.proxies import ProxyRules
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from tests.unit.registry.lan import Lan, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "verysecret"
OPTIONS = TransportOptions(
    retry=RetryPolicy(attempts=1), connect_timeout=0.4, stall_timeout=0.8, user_agent="test"
)


def failure(proxy: str, url: str = "https://ghcr.io/v2/", **environ: str) -> GhcrctlError:
    """Return the error of a request through a proxy."""
    rules = ProxyRules.from_environ({"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, **environ})
    transport = Transport(replace(OPTIONS, proxies=rules))
    with contextlib.closing(transport), pytest.raises(GhcrctlError) as caught:
        transport.request("GET", url, authorization=f"Bearer {SECRET}")
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    return caught.value


def is_told(error: GhcrctlError, place: str, setting: str = "HTTPS_PROXY") -> bool:
    wanted = f"cannot connect to ghcr.io through the proxy {place} ({setting}): "
    return wanted in error.message and error.code == "proxy"


@pytest.mark.parametrize(
    ("status", "user", "words", "hint"),
    [
        (407, "", "the proxy requires a login (status 407)", "HTTPS_PROXY=http://USER:PASSWORD@"),
        (407, f"me:{SECRET}@", "the proxy rejects the user name and password", "USER:PASSWORD@"),
        (403, "", "the proxy does not allow this host (status 403)", "NO_PROXY=ghcr.io"),
        (405, "", "the proxy does not allow this host (status 405)", "NO_PROXY=ghcr.io"),
        (502, "", "the proxy cannot connect to the host (status 502)", "NO_PROXY=ghcr.io"),
        (504, "", "the proxy cannot connect to the host (status 504)", "NO_PROXY=ghcr.io"),
    ],
)
def test_a_proxy_that_refuses_a_tunnel(
    lan: Lan, status: int, user: str, words: str, hint: str
) -> None:
    lan.act = lambda handler: answer(handler, b"no", status=status)
    error = failure(f"http://{user}127.0.0.1:{lan.port}")
    assert is_told(error, lan.url)
    assert words in error.message
    assert hint in (error.hint or "")
    assert error.exit_status == 3
    assert SECRET not in str([h for h in lan.headers if "Proxy-Authorization" not in h])
    assert lan.headers[0].get("Authorization") is None


@pytest.mark.parametrize("status", [407, 403, 502, 503])
def test_a_proxy_that_refuses_plain_http(lan: Lan, status: int) -> None:
    lan.act = lambda handler: answer(handler, b"<html>no", status=status, Content_Type="text/html")
    error = failure(lan.url, "http://ghcr.io/v2/")
    assert is_told(error, lan.url, "HTTP_PROXY")
    assert f"(status {status})" in error.message


def test_a_refusal_of_the_registry_behind_a_proxy_is_its_own(lan: Lan) -> None:
    lan.act = lambda handler: answer(
        handler, b'{"errors": []}', status=403, Content_Type="application/json"
    )
    rules = ProxyRules.from_environ({"HTTP_PROXY": lan.url})
    transport = Transport(replace(OPTIONS, proxies=rules))
    with contextlib.closing(transport):
        response = transport.request("GET", "http://ghcr.io/v2/")
    assert response.status_code == 403
    assert lan.seen == [("GET", "http://ghcr.io/v2/")]


def test_a_proxy_that_is_down() -> None:
    error = failure("http://127.0.0.1:9")
    assert is_told(error, "http://127.0.0.1:9")
    assert "the proxy refused the connection" in error.message
    assert "HTTPS_PROXY" in (error.hint or "")


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_a_proxy_whose_name_does_not_resolve(scheme: str) -> None:
    error = failure(f"{scheme}://me:{SECRET}@proxy.invalid:3128")
    assert is_told(error, f"{scheme}://proxy.invalid:3128")
    assert "the name of the proxy does not resolve" in error.message


def test_a_proxy_that_speaks_no_tls(lan: Lan) -> None:
    place = f"https://127.0.0.1:{lan.port}"
    error = failure(place)
    assert is_told(error, place)
    assert "the proxy does not speak TLS" in error.message
    assert f"HTTPS_PROXY=http://127.0.0.1:{lan.port}" in (error.hint or "")


def test_a_malformed_setting() -> None:
    error = failure(f"ftp://me:{SECRET}@proxy.example")
    assert error.code == "proxy"
    assert "invalid proxy `ftp://proxy.example` in HTTPS_PROXY" in error.message


def test_githubs_api_goes_through_the_same_proxy(lan: Lan) -> None:
    lan.act = lambda handler: answer(handler, b"no", status=407)
    rules = ProxyRules.from_environ({"HTTPS_PROXY": lan.url})
    github = GitHub(instance_of("ghcr.io"), None, replace(OPTIONS, proxies=rules))
    with contextlib.closing(github), pytest.raises(ProxyError, match=r"api\.github\.com.*407"):
        github.get("/user", "the user")
    assert lan.seen == [("CONNECT", "api.github.com:443")]


# Raw proxies


class Raw:
    """A server with scripted connections."""

    def __init__(self, act: Callable[[Any], None]) -> None:
        self._act = act
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self._act(connection)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@contextlib.contextmanager
def raw(act: Callable[[Any], None]) -> Iterator[int]:
    server = Raw(act)
    try:
        yield server.port
    finally:
        server.close()


def test_a_silent_proxy_exceeds_the_connect_timeout() -> None:
    with raw(lambda connection: connection.recv(4096) and connection.recv(4096)) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert is_told(error, f"http://127.0.0.1:{port}")
    assert "--connect-timeout" in (error.hint or "")


def test_a_proxy_that_closes_the_connection_is_named() -> None:
    with raw(lambda connection: connection.recv(4096)) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert isinstance(error, ConnectionLostError)
    assert f"http://127.0.0.1:{port} (HTTPS_PROXY)" in error.message


def test_a_silent_handshake_exceeds_the_connect_timeout() -> None:
    with raw(lambda connection: connection.recv(4096) and connection.recv(4096)) as port:
        transport = Transport(OPTIONS)
        url = f"https://127.0.0.1:{port}/v2/"
        transport.guard.trust(url)
        with contextlib.closing(transport), pytest.raises(TimedOutError) as caught:
            transport.request("GET", url)
    assert "no connection after 0.4 s" in caught.value.message
    assert caught.value.hint == "wait longer: --connect-timeout SECONDS"


def _socks(reply: bytes, *, login: bytes = b"") -> Callable[[Any], None]:
    """Return a SOCKS5 proxy (RFC 1928) with one reply. ``login``: its reply to a user name."""

    def act(connection: Any) -> None:
        connection.recv(512)
        connection.sendall(b"\x05\x02" if login else b"\x05\x00")
        if login:
            connection.recv(512)
            connection.sendall(login)
        connection.recv(512)
        connection.sendall(reply)
        connection.recv(512)

    return act


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "the proxy failed"),
        (2, "the proxy does not allow this host"),
        (4, "the proxy cannot reach the host"),
        (5, "the host refused the proxy's connection"),
    ],
)
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_the_replies_of_a_socks_proxy(scheme: str, code: int, words: str) -> None:
    with raw(_socks(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))) as port:
        error = failure(f"{scheme}://127.0.0.1:{port}")
    assert is_told(error, f"{scheme}://127.0.0.1:{port}")
    assert error.message.endswith(words)


def test_a_socks_proxy_that_rejects_the_user() -> None:
    with raw(_socks(b"", login=b"\x01\x01")) as port:
        error = failure(f"socks5://me:{SECRET}@127.0.0.1:{port}")
    assert is_told(error, f"socks5://127.0.0.1:{port}")
    assert "the proxy rejects the user name and password" in error.message
    assert f"HTTPS_PROXY=socks5://USER:PASSWORD@127.0.0.1:{port}" in (error.hint or "")


def test_a_socks_proxy_that_is_down() -> None:
    error = failure("socks5://127.0.0.1:9")
    assert is_told(error, "socks5://127.0.0.1:9")
    assert "the proxy refused the connection" in error.message


def test_a_socks_proxy_gets_the_name_and_carries_the_request() -> None:
    asked: list[bytes] = []

    def act(connection: Any) -> None:
        connection.recv(512)
        connection.sendall(b"\x05\x00")
        asked.append(connection.recv(512))
        connection.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        asked.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")

    with raw(act) as port:
        rules = ProxyRules.from_environ({"HTTP_PROXY": f"socks5://127.0.0.1:{port}"})
        transport = Transport(replace(OPTIONS, proxies=rules))
        with contextlib.closing(transport):
            assert transport.request("GET", "http://registry.example/v2/").text == "here"
    assert b"registry.example" in asked[0]
    assert asked[1].startswith(b"GET /v2/ HTTP/1.1\r\n")
