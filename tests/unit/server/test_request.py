"""Request bodies with and without a length."""

from __future__ import annotations

import io

import pytest
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from ghcrctl.server.request import Request

BODY = b"0123456789" * 10
BOTH = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])


def make_request(body: bytes, *, chunked: bool, length: int | None = None) -> Request:
    environ = {"REQUEST_METHOD": "PUT", "wsgi.input": io.BytesIO(body)}
    if chunked:
        return Request(environ | {"wsgi.input_terminated": True})
    return Request(environ | {"CONTENT_LENGTH": str(length or len(body))})


@BOTH
@pytest.mark.parametrize("limit", [100, 101])
def test_body_within_the_limit_is_read(limit: int, *, chunked: bool) -> None:
    assert make_request(BODY, chunked=chunked).read_body(limit) == BODY


@BOTH
def test_body_over_the_limit_is_an_error(*, chunked: bool) -> None:
    with pytest.raises(RequestEntityTooLarge, match="larger than 99 bytes"):
        make_request(BODY, chunked=chunked).read_body(99)


def test_body_with_a_length_over_the_limit_is_not_read() -> None:
    request = make_request(BODY, chunked=False)
    with pytest.raises(RequestEntityTooLarge):
        request.read_body(99)
    assert request.stream.tell() == 0


def test_body_shorter_than_its_length_is_an_error() -> None:
    with pytest.raises(ClientDisconnected):
        make_request(BODY, chunked=False, length=101).read_body(200)


def test_body_without_length_is_empty_unless_chunked() -> None:
    request = Request({"REQUEST_METHOD": "PUT", "wsgi.input": io.BytesIO(BODY)})
    assert request.read_body(10) == b""
    assert request.drain(0)


@BOTH
@pytest.mark.parametrize(("limit", "drained"), [(0, False), (99, False), (100, True), (101, True)])
def test_drain_reads_up_to_the_limit(limit: int, *, drained: bool, chunked: bool) -> None:
    assert make_request(BODY, chunked=chunked).drain(limit) is drained


def test_drain_counts_only_the_rest_of_the_body() -> None:
    request = make_request(BODY, chunked=False)
    request.stream.read(60)
    assert request.drain(40)


def test_too_long_rest_is_not_read() -> None:
    request = make_request(BODY, chunked=False)
    assert not request.drain(99)
    assert request.stream.tell() == 0


def test_drain_of_an_incomplete_body_fails() -> None:
    assert not make_request(BODY, chunked=False, length=101).drain(200)
