"""Reading response bodies."""

from __future__ import annotations

import io

import pytest
import requests

from ghcrctl.errors import ConnectionLostError, TimedOutError
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, BodyStream, discard, error_text


class Raw(io.BytesIO):
    """A body that can fail after its bytes."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        super().__init__(data)
        self.error = error
        self.asked: list[bool] = []

    def read(self, size: int | None = -1, *, decode_content: bool = False) -> bytes:
        self.asked.append(decode_content)
        found = super().read(size)
        if not found and self.error:
            raise self.error
        return found


def response(
    data: bytes, length: str | None = None, error: Exception | None = None
) -> requests.Response:
    made = requests.Response()
    made.url = "https://ghcr.io/v2/"
    made.raw = Raw(data, error)
    if length is not None:
        made.headers["Content-Length"] = length
    return made


def decoded(made: requests.Response) -> list[bool]:
    """Return for each read whether the body was decoded."""
    assert isinstance(made.raw, Raw)
    return made.raw.asked


def test_a_body_that_is_as_long_as_announced_ends_quietly() -> None:
    stream = BodyStream(response(b"abcde", "5"))
    assert [stream.read(3), stream.read(3), stream.read(3), stream.read(3)] == [
        b"abc",
        b"de",
        b"",
        b"",
    ]


@pytest.mark.parametrize("length", ["6", "99"])
def test_a_body_that_is_shorter_than_announced_is_a_lost_connection(length: str) -> None:
    stream = BodyStream(response(b"abcde", length))
    assert stream.read(5) == b"abcde"
    assert stream.read(0) == b"", "nothing was requested, so nothing is missing"
    with pytest.raises(ConnectionLostError, match="before the end") as caught:
        stream.read(5)
    assert caught.value.retryable


@pytest.mark.parametrize("length", [None, "", "many", "-1", "3"])
def test_an_invalid_length_is_ignored(length: str | None) -> None:
    stream = BodyStream(response(b"abcde", length))
    assert stream.read(5) == b"abcde"
    assert stream.read(5) == b""


def test_the_length_of_a_compressed_body_counts_other_bytes() -> None:
    made = response(b"abcde", "99")
    stream = BodyStream(made, packed=True)
    assert [stream.read(5), stream.read(5)] == [b"abcde", b""]
    assert decoded(made) == [True, True]
    plain = response(b"abcde")
    BodyStream(plain).read(5)
    assert decoded(plain) == [False]


def test_an_error_while_reading_is_a_lost_connection() -> None:
    stream = BodyStream(response(b"ab", error=OSError(104, "reset")))
    assert stream.read(2) == b"ab"
    with pytest.raises(ConnectionLostError):
        stream.read(2)


def test_closing_a_body_closes_its_connection() -> None:
    made = response(b"ab")
    BodyStream(made).close()
    assert made.raw.closed


# Errors


def test_the_text_of_an_error_is_read_once_and_bounded() -> None:
    made = response(b"x" * (MAX_ERROR_BODY + 5))
    assert error_text(made) == "x" * MAX_ERROR_BODY
    assert error_text(made) == "x" * MAX_ERROR_BODY
    assert decoded(made) == [True]
    assert error_text(response("größe\xff".encode("latin-1"))).startswith("gr")


@pytest.mark.parametrize(
    "error", [OSError(104, "reset"), TimeoutError("timed out")], ids=["reset", "timed out"]
)
def test_an_error_whose_text_does_not_come_has_none(error: Exception) -> None:
    assert error_text(response(b"", error=error)) == ""
    with pytest.raises((ConnectionLostError, TimedOutError)):
        BodyStream(response(b"", error=error)).read(1)


def test_an_unread_response_is_closed() -> None:
    made = response(b"rest")
    discard(made)
    assert made.raw.closed
    assert error_text(made) == "rest"
