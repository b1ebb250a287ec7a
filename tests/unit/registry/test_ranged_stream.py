"""A reader of one large blob: which responses it accepts, and what it requests next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.errors import ConnectionLostError, NetworkError
from ghcrctl.registry import parallel_ranges
from ghcrctl.registry.parallel_ranges import RangedStream
from ghcrctl.registry.read_ahead import ReadAhead, Span
from tests.unit.registry.test_body_stream import Raw

if TYPE_CHECKING:
    from collections.abc import Callable

SEGMENT = 1000
SIZE = 4 * SEGMENT + 10
DATA = bytes(number % 251 for number in range(SIZE))
FIRST, SECOND = Span(0, SEGMENT), Span(SEGMENT, 2 * SEGMENT)


@pytest.fixture(autouse=True)
def _small_and_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_ranges, "SEGMENT", SEGMENT)
    monkeypatch.setattr(parallel_ranges, "_FAST", 1e15)


def answer(
    span: Span, *, status: int = 206, header: str | None = None, etag: str = '"a"', cut: int = 0
) -> requests.Response:
    """Return a response to a range request, with faults."""
    end = SIZE if span.end is None else span.end
    body = DATA if status == 200 else DATA[span.first : end]
    made = requests.Response()
    made.url = "https://storage.example/blob"
    made.status_code = status
    made.raw = Raw(body[: len(body) - cut])
    made.headers["Content-Length"] = str(len(body))
    made.headers["ETag"] = etag
    if status == 206:
        found = f"bytes {span.first}-{end - 1}/{SIZE}" if header is None else header
        made.headers["Content-Range"] = found
    return made


def alone() -> ReadAhead:
    """Return a pool without threads, so that the reader sends every request itself."""
    ahead = ReadAhead(1)
    ahead.close()
    return ahead


def read_all(stream: RangedStream) -> bytes:
    found = b""
    while chunk := stream.read(300):
        found += chunk
    stream.close()
    return found


def scripted(
    second: Callable[[Span], requests.Response],
) -> tuple[Callable[[Span], requests.Response], list[Span]]:
    """Return a function that answers requests, the second one as scripted, and its requests."""
    requested: list[Span] = []

    def request(span: Span) -> requests.Response:
        requested.append(span)
        return second(span) if len(requested) == 2 else answer(span)

    return request, requested


def test_ranges_are_requested_to_the_end() -> None:
    request, requested = scripted(answer)
    stream = RangedStream(request, alone(), offset=0, size=SIZE)
    assert read_all(stream) == DATA
    starts = range(0, SIZE, SEGMENT)
    assert requested == [Span(start, min(start + SEGMENT, SIZE)) for start in starts]


def test_reading_starts_at_the_offset() -> None:
    request, requested = scripted(answer)
    stream = RangedStream(request, alone(), offset=SIZE - 1500, size=SIZE)
    assert read_all(stream) == DATA[-1500:]
    assert requested == [Span(SIZE - 1500, SIZE - 500), Span(SIZE - 500, SIZE)]


def test_a_range_of_unknown_total_size_is_accepted() -> None:
    request, requested = scripted(
        lambda span: answer(span, header=f"bytes {SEGMENT}-{2 * SEGMENT - 1}/*")
    )
    assert read_all(RangedStream(request, alone(), offset=0, size=SIZE)) == DATA
    assert len(requested) == 5


@pytest.mark.parametrize(
    "header",
    [
        f"bytes 0-{SEGMENT - 1}/{SIZE}",
        f"bytes {SEGMENT}-{2 * SEGMENT - 2}/{SIZE}",
        f"bytes {SEGMENT}-{2 * SEGMENT}/{SIZE}",
        f"bytes {SEGMENT}-{2 * SEGMENT - 1}/{SIZE + 1}",
        "",
        "nonsense",
    ],
)
def test_after_a_mismatching_range_the_rest_is_requested_at_once(header: str) -> None:
    request, requested = scripted(lambda span: answer(span, header=header))
    assert read_all(RangedStream(request, alone(), offset=0, size=SIZE)) == DATA
    assert requested == [FIRST, SECOND, Span(SEGMENT)]


def test_after_a_range_of_other_content_the_rest_is_requested_at_once() -> None:
    request, requested = scripted(lambda span: answer(span, etag='"b"'))
    assert read_all(RangedStream(request, alone(), offset=0, size=SIZE)) == DATA
    assert requested == [FIRST, SECOND, Span(SEGMENT)]


def test_a_whole_response_needs_no_other_request() -> None:
    request, requested = scripted(lambda span: answer(span, status=200))
    assert read_all(RangedStream(request, alone(), offset=0, size=SIZE)) == DATA
    assert requested == [FIRST, SECOND]


def test_after_a_fast_first_range_the_rest_is_requested_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel_ranges, "_FAST", 0)
    request, requested = scripted(answer)
    assert read_all(RangedStream(request, alone(), offset=0, size=SIZE)) == DATA
    assert requested == [FIRST, Span(SEGMENT)]


def test_a_truncated_range_is_a_lost_connection() -> None:
    request, _ = scripted(lambda span: answer(span, cut=1))
    stream = RangedStream(request, alone(), offset=0, size=SIZE)
    with pytest.raises(ConnectionLostError) as caught:
        read_all(stream)
    assert caught.value.retryable
    stream.close()


# Reading ahead


def test_segments_read_ahead_are_not_requested_again() -> None:
    requested: list[Span] = []
    ahead = ReadAhead(2)

    def request(span: Span) -> requests.Response:
        requested.append(span)
        return answer(span)

    stream = RangedStream(request, ahead, offset=0, size=SIZE)
    assert read_all(stream) == DATA
    assert len(requested) == len(set(requested)) == 5
    ahead.close()


@pytest.mark.parametrize("cut", [1, SEGMENT])
def test_a_segment_truncated_while_reading_ahead_is_requested_again(cut: int) -> None:
    third = Span(2 * SEGMENT, 3 * SEGMENT)
    cuts = {third: cut}
    ahead = ReadAhead(1)
    stream = RangedStream(
        lambda span: answer(span, cut=cuts.pop(span, 0)), ahead, offset=0, size=SIZE
    )
    assert read_all(stream) == DATA
    assert not cuts
    ahead.close()


@pytest.mark.parametrize("retryable", [True, False])
def test_an_error_while_reading_ahead_is_raised_only_if_it_is_final(retryable: bool) -> None:
    third = Span(2 * SEGMENT, 3 * SEGMENT)
    failures = [NetworkError("lost", retryable=retryable)]
    ahead = ReadAhead(1)

    def request(span: Span) -> requests.Response:
        if span == third and failures:
            raise failures.pop()
        return answer(span)

    stream = RangedStream(request, ahead, offset=0, size=SIZE)
    if retryable:
        assert read_all(stream) == DATA
    else:
        with pytest.raises(NetworkError, match="lost"):
            read_all(stream)
        stream.close()
    assert ahead.submit(bytearray) is not None, "every segment was given back"
    ahead.close()


def test_reading_ahead_starts_after_the_first_range_is_timed() -> None:
    ahead = ReadAhead(2)
    stream = RangedStream(answer, ahead, offset=0, size=SIZE)
    assert stream._pending == {}
    assert stream.read(SEGMENT) == DATA[:SEGMENT]
    assert stream._pending == {}
    assert stream.read(1) == DATA[SEGMENT : SEGMENT + 1]
    assert sorted(stream._pending) == [2 * SEGMENT, 3 * SEGMENT]
    stream.close()
    assert stream._pending == {}
    ahead.close()


def test_a_short_range_of_unknown_length_is_a_lost_connection() -> None:
    def short(span: Span) -> requests.Response:
        made = answer(span, cut=5)
        del made.headers["Content-Length"]
        return made

    request, requested = scripted(short)
    stream = RangedStream(request, alone(), offset=0, size=SIZE)
    with pytest.raises(ConnectionLostError, match="less than requested") as caught:
        read_all(stream)
    assert caught.value.retryable
    assert requested == [FIRST, SECOND]
    stream.close()


def test_a_fast_first_range_at_an_offset_is_followed_by_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel_ranges, "_FAST", 0)
    request, requested = scripted(answer)
    assert read_all(RangedStream(request, alone(), offset=500, size=SIZE)) == DATA[500:]
    assert requested == [Span(500, SEGMENT + 500), Span(SEGMENT + 500)]
