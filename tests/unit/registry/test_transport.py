"""HTTP requests: retries, redirects, and what is sent."""

from __future__ import annotations

import re
import sys
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
import requests
import responses
from responses import matchers
from urllib3.exceptions import ProtocolError

from ghcrctl.errors import (
    ConnectionFailedError,
    ExitStatus,
    GhcrctlError,
    InvalidResponseError,
    RedirectError,
)
from ghcrctl.registry.body_stream import error_text
from ghcrctl.registry.endpoint import TlsPolicy
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.content.wait_events import Wait

URL = "https://ghcr.io/v2/octo/image/blobs/x"
STORAGE = "https://storage.example/x?signature=verysecret"


@pytest.mark.parametrize(
    "status", [408, 425, 429, 499, 500, 502, 503, 504, 507, 509, 520, 521, 522, 524, 525, 529, 530]
)
def test_temporary_statuses_are_retried(
    web: responses.RequestsMock, transport: Transport, waits: list[float], status: int
) -> None:
    web.get(URL, status=status)
    web.get(URL, status=status)
    web.get(URL, body="here")
    assert transport.request("GET", URL).status_code == 200
    assert len(waits) == 2
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 405, 409, 416, 501])
def test_permanent_statuses_are_returned(
    web: responses.RequestsMock, transport: Transport, waits: list[float], status: int
) -> None:
    web.get(URL, status=status)
    assert transport.request("GET", URL).status_code == status
    assert waits == []


def test_each_wait_is_reported(web: responses.RequestsMock) -> None:
    told: list[Wait] = []
    transport = Transport(TransportOptions(waiting=told.append), sleep=lambda _: None)
    web.get(URL, status=503)
    web.get(URL, status=429, headers={"Retry-After": "7"})
    web.get(URL, status=429, headers={"Retry-After": "7"})
    web.get(URL, body="here")
    assert transport.request("GET", URL).status_code == 200
    transport.close()
    assert [(wait.reason, wait.code) for wait in told] == [
        ("ghcr.io returned status 503", "registry-unavailable"),
        ("ghcr.io is rate limiting requests (status 429)", "rate-limited"),
        ("ghcr.io is rate limiting requests (status 429)", "rate-limited"),
    ]
    assert [wait.seconds for wait in told[1:]] == [7, 7]


def test_the_last_response_is_returned(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    web.get(URL, status=503, body="sorry")
    response = transport.request("GET", URL)
    assert (response.status_code, error_text(response), len(waits)) == (503, "sorry", 2)


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [({"Retry-After": "7"}, "", 7.0), ({}, "retry-after: 3.5s, allowed: 44000/minute", 3.5)],
)
def test_a_requested_wait_is_respected(
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


def test_a_requested_date_is_respected(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    then = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=40), usegmt=True)
    web.get(URL, status=503, headers={"Retry-After": then})
    web.get(URL)
    transport.request("GET", URL)
    assert len(waits) == 1
    assert 37 < waits[0] <= 40


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_is_retried_with_its_whole_body(
    web: responses.RequestsMock, transport: Transport, waits: list[float], method: str
) -> None:
    web.add(method, URL, body=requests.ConnectionError(ProtocolError("reset")))
    web.add(method, URL, status=502)
    web.add(method, URL, status=201)
    assert transport.request(method, URL, body=b"all of it").status_code == 201
    assert [call.request.body for call in web.calls] == [b"all of it"] * 3
    assert len(waits) == 2


def test_an_unreached_host_is_tried_once(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    web.get(URL, body=requests.ConnectionError("refused"))
    with pytest.raises(ConnectionFailedError) as caught:
        transport.request("GET", URL)
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert not caught.value.retryable
    assert (len(web.calls), waits) == (1, [])


def test_a_reached_host_is_retried(
    web: responses.RequestsMock, transport: Transport, waits: list[float]
) -> None:
    web.get(URL, body="here")
    web.get(URL, body=requests.ConnectionError("refused"))
    web.get(URL, body="here again")
    assert transport.request("GET", URL).text == "here"
    assert transport.request("GET", URL).text == "here again"
    assert len(waits) == 1


def test_an_excessive_wait_is_not_respected(
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
    # A caller that can recreate the stream may retry.
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


@pytest.mark.parametrize("host", ["https://ghcr.io:444/x", "https://pkg.ghcr.io/x"])
def test_another_port_counts_as_another_host(
    web: responses.RequestsMock, transport: Transport, host: str
) -> None:
    web.get(URL, status=302, headers={"Location": host})
    web.get(host)
    transport.request("GET", URL, authorization="Bearer verysecret")
    assert web.calls[1].request.headers.get("Authorization") is None


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/x",
        "http://localhost:8080/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/x",
        "https://0.0.0.0/x",
    ],
)
def test_a_remote_registry_cannot_redirect_to_local_services(
    web: responses.RequestsMock, transport: Transport, location: str
) -> None:
    web.get(URL, status=307, headers={"Location": location})
    transport.guard.trust(URL)
    with pytest.raises(RedirectError, match="this machine"):
        transport.request("GET", URL)
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://ghcr.io/x",
        "http://storage.example/x",
        "https://[storage.example/x",
        "https://[::::::]/x",
        "https://storage\N{ACCOUNT OF}.example/x",
        "https://" + "a" * 300 + ".example:port/x",
        "javascript:alert(1)",
        URL,
    ],
)
def test_a_forbidden_redirect_is_not_followed(
    web: responses.RequestsMock, transport: Transport, location: str
) -> None:
    web.get(URL, status=307, headers={"Location": location})
    with pytest.raises((RedirectError, InvalidResponseError)) as caught:
        transport.request("GET", URL, authorization="Bearer verysecret")
    assert len(web.calls) == 1
    assert "verysecret" not in str(caught.value)
    # Some Python versions only reject the URL when its parts are used.
    assert re.search(r"ghcr\.io|\.example|\[::::::\]", caught.value.message)


def test_a_redirect_to_another_scheme_names_it(
    web: responses.RequestsMock, transport: Transport
) -> None:
    web.get(URL, status=307, headers={"Location": "ftp://ghcr.io/x"})
    with pytest.raises(RedirectError, match="the scheme is `ftp`"):
        transport.request("GET", URL)


@pytest.mark.parametrize("location", ["/naf\xe9", "/\xff\xfe", "//storage.example/\x85", "?a b"])
def test_a_redirect_to_an_odd_path_is_followed(
    web: responses.RequestsMock, transport: Transport, location: str
) -> None:
    web.get(URL, status=307, headers={"Location": location})
    web.get(re.compile("https://(ghcr.io|storage.example)/.+"), body="here")
    assert transport.request("GET", URL).text == "here"


@pytest.mark.parametrize(
    "location", ["https://me:verysecret@ghcr.io/x", "http://me:verysecret@storage.example/x"]
)
def test_user_info_in_a_url_is_never_shown(
    web: responses.RequestsMock, transport: Transport, said: list[str], location: str
) -> None:
    web.get(URL, status=307, headers={"Location": location})
    web.get(location, status=307, headers={"Location": location})
    with pytest.raises(RedirectError) as caught:
        transport.request("GET", URL)
    assert "verysecret" not in f"{caught.value} {caught.value.hint} {said}"
    assert "@" not in str(caught.value)
    # It is not sent either: only configured credentials are.
    assert all("Authorization" not in call.request.headers for call in web.calls)


@pytest.mark.parametrize("url", ["https://[ghcr.io/x", "https://[::::::]:5000/v2/", "https://a:b/"])
def test_an_invalid_url_is_an_error(
    web: responses.RequestsMock, transport: Transport, url: str
) -> None:
    with pytest.raises(InvalidResponseError, match="invalid URL with"):
        transport.request("GET", url)
    assert len(web.calls) == 0


def test_threads_with_many_hosts_do_not_interfere(
    web: responses.RequestsMock,
) -> None:
    # Without verification, setting up TLS is fast, so the threads really overlap.
    transport = Transport(TransportOptions(tls=TlsPolicy(insecure=True)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    web.get(re.compile(r"https://h\d+\.example/"), body="here")
    together = threading.Barrier(8)
    got: list[str] = []

    def visit(first: int) -> None:
        together.wait()
        hosts = (f"https://h{number}.example/" for number in range(first, first + 10))
        got.extend(transport.request("GET", host).text for host in hosts)

    threads = [threading.Thread(target=visit, args=(number * 5,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    transport.close()
    assert got == ["here"] * 80


def test_endless_redirects_are_an_error(web: responses.RequestsMock, transport: Transport) -> None:
    for number in range(20):
        web.get(f"{URL}/{number}", status=302, headers={"Location": f"{URL}/{number + 1}"})
    with pytest.raises(RedirectError, match="more than 10 times"):
        transport.request("GET", f"{URL}/0")
    assert len(web.calls) == 11


def test_a_redirect_loop_differs_from_many_redirects(
    web: responses.RequestsMock, transport: Transport
) -> None:
    web.get(URL, status=302, headers={"Location": f"{URL}/other"})
    web.get(f"{URL}/other", status=302, headers={"Location": URL})
    with pytest.raises(RedirectError, match="in a loop"):
        transport.request("GET", URL)
    assert len(web.calls) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_write_follows_redirects_within_its_host(
    web: responses.RequestsMock, transport: Transport, method: str, status: int
) -> None:
    web.add(method, URL, status=status, headers={"Location": "https://GHCR.io:443/v2/new"})
    web.add(method, "https://ghcr.io:443/v2/new", status=201)
    response = transport.request(method, URL, body=b"all", authorization="Bearer verysecret")
    assert response.status_code == 201
    sent = web.calls[1].request
    assert (sent.method, sent.body) == (method, b"all")
    assert sent.headers["Authorization"] == "Bearer verysecret"


@pytest.mark.parametrize("status", [302, 307])
def test_a_write_follows_its_host_to_tls_without_the_credential(
    web: responses.RequestsMock, transport: Transport, status: int
) -> None:
    web.post("http://ghcr.io/v2/", status=status, headers={"Location": "https://ghcr.io/v2/"})
    web.post("https://ghcr.io/v2/", status=202)
    response = transport.request("POST", "http://ghcr.io/v2/", authorization="Bearer verysecret")
    assert response.status_code == 202
    assert "Authorization" not in web.calls[1].request.headers


def test_head_follows_redirects_on_request(
    web: responses.RequestsMock, transport: Transport
) -> None:
    web.head(URL, status=307, headers={"Location": STORAGE})
    web.head(STORAGE, status=200)
    assert transport.request("HEAD", URL, follow=True).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_only_reads_follow_redirects_to_another_host(
    web: responses.RequestsMock, transport: Transport, method: str
) -> None:
    web.add(method, URL, status=307, headers={"Location": STORAGE})
    assert transport.request(method, URL).status_code == 307


def test_no_local_credentials_are_sent(
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
    assert len(web.calls) == 2
    for call in web.calls:
        assert "verysecret" not in str(call.request.headers)
    assert web.calls[0].request.headers["Accept-Encoding"] == "identity"
