"""Invalid responses: each is a clear error without delay."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import GhcrctlError, InvalidResponseError
from ghcrctl.registry import client as client_module
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.transport_options import TransportOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = b"x" * 1_000_000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
JSON = b'{"tags": ["a"]}'


@contextmanager
def answering(*parts: bytes, times: int = 1) -> Iterator[RegistryClient]:
    """Run a server that answers every request with these bytes, and a client of it.

    Args:
        parts: sent in order; the last one so many times, unless the client goes away.
        times: how often.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    if not connection.recv(65536).startswith((b"GET", b"HEAD")):
                        continue
                    for part in (*parts[:-1], *[parts[-1]] * times):
                        connection.sendall(part)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    options = TransportOptions(stall_timeout=5, retry=RetryPolicy(attempts=2, base=0.0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    made = RegistryClient(host, credentials=None, options=options, warn=lambda _: None)
    try:
        yield made
    finally:
        made.close()
        stopped.set()
        # A blocked `accept` does not notice that its socket is closed.
        socket.create_connection(listener.getsockname()).close()
        thread.join(timeout=10)
        listener.close()


@pytest.mark.parametrize(
    "parts",
    [
        (b"nonsense\r\n\r\n",),
        (b"HTTP/1.1 " + MEGABYTE,),
        (b"HTTP/1.1 999999 OK\r\n\r\n",),
        (b"HTTP/1.1 -1 OK\r\n\r\n",),
        (OK + b"X: " + MEGABYTE + b"\r\n\r\n",),
        (OK + b"X: y\r\n" * 10_000 + b"\r\n",),
        (OK + b"no header\r\n\r\n",),
        (OK + b"Content-Length: 99\r\n\r\n" + JSON,),
        (OK + b"Content-Length: 9" + b"9" * 400 + b"\r\n\r\n" + JSON,),
        (CHUNKED + b"zz\r\n",),
        (CHUNKED + b"-5\r\nxxxxx\r\n",),
        (CHUNKED + b"5;" + MEGABYTE + b"\r\nxxxxx\r\n",),
        (CHUNKED + b"fffffffffffffffff\r\n",),
        (CHUNKED + b"5\r\nxx",),
        (b"",),
    ],
    ids=lambda parts: repr(parts[0][:60]),
)
def test_response_that_violates_http_is_an_error(parts: tuple[bytes, ...]) -> None:
    began = time.monotonic()
    with answering(*parts) as client, pytest.raises(GhcrctlError) as caught:
        list(client.tags("octo/image"))
    assert caught.value.exit_status in {3, 6}
    assert len(str(caught.value)) < 500
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (OK + b"\r\n", MEGABYTE),
        (CHUNKED, b"f4240\r\n" + MEGABYTE + b"\r\n"),
        (OK, b"X: y\r\n" * 1000),
    ],
    ids=["body", "chunks", "headers"],
)
def test_endless_response_is_an_error(start: bytes, part: bytes) -> None:
    with answering(start, part, times=1000) as client, pytest.raises(GhcrctlError):
        list(client.tags("octo/image"))


def test_endless_list_of_tags_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_MAX_TAGS", 1000)
    tags = ", ".join(f'"t{number}"' for number in range(2000))
    body = f'{{"tags": [{tags}]}}'.encode()
    head = OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    with (
        answering(head + body) as client,
        pytest.raises(InvalidResponseError, match="endless"),
    ):
        list(client.tags("octo/image"))
