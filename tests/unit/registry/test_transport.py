"""Getting an answer to one request: retries, redirects, what is sent and what is not."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from responses import matchers

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    ExitStatus,
    GhcrctlError,
    NetworkError,
    RedirectError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.transport import BodyStream, Transport, TransportOptions, error_text

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

URL = "https://ghcr.io/v2/octo/image/blobs/x"
STORAGE = "https://storage.example/x?signature=verysecret"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def transport(waits: list[float], said: list[str]) -> Iterator[Transport]:
    options = TransportOptions(
        retry=RetryPolicy(attempts=3, base=0.5),
        connect_timeout=2.0,
        stall_timeout=0.3,
        debug=said.append,
    )
    made = Transport(options, sleep=waits.append)
    yield made
    made.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(
    web: responses.RequestsMock, transport: Transport, waits: list[float], status: int
) -> None:
    web.get(URL, status=status)
    web.get(URL, status=status)
    web.get(URL, body="here")
    assert transport.request("GET", URL).status_code == 200
    assert len(waits) == 2
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 405, 409, 416, 501])
def test_what_will_not_pass_is_an_answer(
    web: responses.RequestsMock, transport: Transport, waits: list[float], status: int
) -> None:
    web.get(URL, status=status)
    assert transport.request("GET", URL).status_code == status
    assert waits == []


def test_the_last_try_is_the_answer(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    web.get(URL, status=503, body="sorry")
    response = transport.request("GET", URL)
    assert (response.status_code, error_text(response), len(waits)) == (503, "sorry", 2)


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [({"Retry-After": "7"}, "", 7.0), ({}, "retry-after: 3.5s, allowed: 44000/minute", 3.5)],
)
def test_what_the_server_asks_for_is_waited(
    web: responses.RequestsMock,
    transport: Transport,
    waits: list[float],
    headers: dict[str, str],
    body: str,
    wait: float,
) -> None:
    web.get(URL, status=429, headers=headers, body=body)
    web.get(URL)
    transport.request("GET", URL)
    assert waits == [wait]


def test_a_wait_that_is_too_long_is_not_waited(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    web.get(URL, status=429, headers={"Retry-After": "3600"})
    assert transport.request("GET", URL).status_code == 429
    assert waits == []


def test_a_body_that_is_a_stream_is_sent_once(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    class Body:
        def __len__(self) -> int:
            return 1

        def read(self, _: int = -1) -> bytes:
            return b"x"

    web.put(URL, status=503)
    assert transport.request("PUT", URL, body=Body()).status_code == 503
    web.put(f"{URL}2", body=requests.ConnectionError("refused"))
    with pytest.raises(GhcrctlError) as caught:
        transport.request("PUT", f"{URL}2", body=Body())
    # Whoever can make the stream anew may try again.
    assert caught.value.retryable
    assert waits == []


def test_a_redirect_to_another_host_loses_the_credential(
    web: responses.RequestsMock, transport: Transport, said: list[str]
) -> None:
    web.get(URL, status=307, headers={"Location": "/v2/elsewhere"})
    web.get("https://ghcr.io/v2/elsewhere", status=307, headers={"Location": STORAGE})
    web.get(STORAGE, body="content")
    response = transport.request("GET", URL, authorization="Bearer verysecret")
    assert response.text == "content"
    sent = [call.request.headers.get("Authorization") for call in web.calls]
    assert sent == ["Bearer verysecret", "Bearer verysecret", None]
    assert "verysecret" not in str(said)
    assert any("storage.example" in line for line in said)


@pytest.mark.parametrize("host", ["https://ghcr.io:444/x", "http://127.0.0.1/x"])
def test_another_port_is_another_host(
    web: responses.RequestsMock, transport: Transport, host: str
) -> None:
    web.get(URL, status=302, headers={"Location": host})
    web.get(host)
    transport.request("GET", URL, authorization="Bearer verysecret")
    assert web.calls[1].request.headers.get("Authorization") is None


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://ghcr.io/x",
        "http://storage.example/x",
        URL,
    ],
)
def test_a_redirect_that_must_not_be_followed_is_not(
    web: responses.RequestsMock, transport: Transport, location: str
) -> None:
    web.get(URL, status=307, headers={"Location": location})
    with pytest.raises(RedirectError) as caught:
        transport.request("GET", URL, authorization="Bearer verysecret")
    assert len(web.calls) == 1
    assert "verysecret" not in str(caught.value)


def test_redirects_without_end_are_given_up(
    web: responses.RequestsMock, transport: Transport
) -> None:
    for number in range(20):
        web.get(f"{URL}/{number}", status=302, headers={"Location": f"{URL}/{number + 1}"})
    with pytest.raises(RedirectError):
        transport.request("GET", f"{URL}/0")
    assert len(web.calls) < 13


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_only_reading_follows_redirects(
    web: responses.RequestsMock, transport: Transport, method: str
) -> None:
    web.add(method, URL, status=307, headers={"Location": STORAGE})
    assert transport.request(method, URL).status_code == 307


def test_nothing_of_this_person_is_sent_along(
    web: responses.RequestsMock, transport: Transport, isolated: Path
) -> None:
    (isolated / ".netrc").write_text("machine ghcr.io login me password verysecret\n")
    web.get(
        URL,
        headers={"Set-Cookie": "session=verysecret"},
        match=[matchers.header_matcher({"User-Agent": "ghcrctl"})],
    )
    transport.request("GET", URL)
    transport.request("GET", URL)
    for call in web.calls:
        assert "verysecret" not in str(call.request.headers)
    assert web.calls[0].request.headers["Accept-Encoding"] == "identity"


class Lan:
    """A server on loopback that treats each connection as it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.act: Callable[[BaseHTTPRequestHandler], None] = lambda _: None
        lan = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lan.seen.append((self.command, self.path))
                lan.act(self)

            do_CONNECT = do_GET  # noqa: N815 the library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def lan() -> Iterator[Lan]:
    made = Lan()
    yield made
    made.server.shutdown()
    made.server.server_close()


def answer(handler: BaseHTTPRequestHandler, body: bytes, announced: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if announced is None else announced))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_host_that_says_nothing_is_given_up(
    lan: Lan, transport: Transport, waits: list[float]
) -> None:
    ended = threading.Event()

    def say_nothing(_: BaseHTTPRequestHandler) -> None:
        ended.wait(10)

    lan.act = say_nothing
    with pytest.raises(TimedOutError) as caught:
        transport.request("GET", lan.url)
    ended.set()
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert len(waits) == 2


def test_a_body_that_stalls_is_given_up(lan: Lan, transport: Transport) -> None:
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


def test_a_connection_that_is_closed_at_once_is_tried_again(
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
        ("http://nowhere.example/", "does not resolve"),
    ],
)
def test_a_host_that_cannot_be_reached_is_told(transport: Transport, url: str, words: str) -> None:
    with pytest.raises(ConnectionFailedError, match=words) as caught:
        transport.request("GET", url)
    assert caught.value.exit_status is ExitStatus.NETWORK


def test_a_host_without_tls_is_told(lan: Lan, transport: Transport) -> None:
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
    if variable == "HTTPS_PROXY":
        with pytest.raises(NetworkError, match="proxy"):
            transport.request("GET", url)
    else:
        assert transport.request("GET", url).status_code == 407
    assert lan.seen[0] == seen


def test_no_proxy_names_hosts_to_reach_without_it(
    lan: Lan, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan.act = lambda handler: answer(handler, b"direct")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert transport.request("GET", f"{lan.url}/x").text == "direct"
    assert lan.seen == [("GET", "/x")]


def test_closing_ends_every_connection(lan: Lan, transport: Transport) -> None:
    lan.act = lambda handler: answer(handler, b"x")
    kept: list[Any] = [transport.request("GET", lan.url) for _ in range(3)]
    assert [response.content for response in kept] == [b"x"] * 3
    transport.close()
