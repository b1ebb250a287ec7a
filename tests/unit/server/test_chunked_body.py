from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.server.chunked_body import ChunkedInput

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry


def encode(chunks: list[bytes]) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return body + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=50)), st.integers(1, 70))
def test_body_is_decoded_and_the_next_request_is_not_read(chunks: list[bytes], size: int) -> None:
    raw = io.BytesIO(encode(chunks) + b"GET / HTTP/1.1")
    body = ChunkedInput(raw)
    assert b"".join(iter(lambda: body.read(size), b"")) == b"".join(chunks)
    assert raw.read() == b"GET / HTTP/1.1"
    assert not body.broken


def test_chunk_extensions_and_trailers_are_skipped() -> None:
    raw = io.BytesIO(b"3;name=value\r\nabc\r\n0\r\nExpires: never\r\n\r\nrest")
    body = ChunkedInput(raw)
    assert (body.read(10), body.read(10), raw.read()) == (b"abc", b"", b"rest")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"zz\r\n",
        b"-3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"5\r\nabc",
        b"0\r\n",
        b"11111111111111111\r\n",
        b"0\r\n" + b"a: b\r\n" * 100,
    ],
)
def test_malformed_body_raises_on_every_read(text: bytes) -> None:
    body = ChunkedInput(io.BytesIO(text))
    with pytest.raises(ValueError, match=r"\w"):
        list(iter(lambda: body.read(100), b""))
    assert body.broken
    with pytest.raises(ValueError, match="malformed"):
        body.read(1)


def talk(registry: PlainRegistry, text: bytes) -> bytes:
    host, port = registry.host.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def begin(registry: PlainRegistry) -> bytes:
    response = talk(
        registry, b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    )
    return response.split(b"Location: ", 1)[1].split(b"\r\n", 1)[0]


def status(registry: PlainRegistry, location: bytes) -> bytes:
    return talk(registry, b"GET " + location + b" HTTP/1.1\r\nHost: x\r\n\r\n")


def test_request_after_malformed_body_is_not_processed(plain_registry: PlainRegistry) -> None:
    head = b"PATCH " + begin(plain_registry) + b" HTTP/1.1\r\nHost: x\r\n"
    before = len(plain_registry.log)
    hidden = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"
    talk(plain_registry, head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + hidden)
    assert len(plain_registry.log) == before + 1


@pytest.mark.parametrize(
    "rest",
    [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc"],
    ids=["length", "chunked"],
)
def test_bytes_before_a_lost_connection_are_kept(
    plain_registry: PlainRegistry, rest: bytes
) -> None:
    location = begin(plain_registry)
    talk(plain_registry, b"PATCH " + location + b" HTTP/1.1\r\nHost: x\r\n" + rest)
    assert b"Range: 0-2\r\n" in status(plain_registry, location)


def test_body_shorter_than_its_length_is_400(plain_registry: PlainRegistry) -> None:
    head = b"PUT /v2/a/b/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    response = talk(plain_registry, head + b"{}")
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"BLOB_UPLOAD_INVALID" in response
    assert b"\r\nConnection: close\r\n" in response
