"""Verified streams."""

from __future__ import annotations

import io
import tarfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import CHUNK_SIZE, Content, VerifiedStream
from ghcrctl.errors import DigestMismatchError, IntegrityError, SizeMismatchError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest


class Trickle:
    """A stream that returns fewer bytes than requested."""

    def __init__(self, content: bytes, portion: int) -> None:
        self._file = io.BytesIO(content)
        self._portion = portion

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._portion))

    def close(self) -> None:
        self._file.close()


def stream_of(content: bytes, given_: bytes, portion: int = 3) -> VerifiedStream:
    return VerifiedStream(Trickle(given_, portion), Descriptor.of(content, "text/plain"))


@given(st.binary(max_size=200), st.integers(1, 50), st.integers(1, 20))
def test_stream_returns_its_content_for_any_read_size(
    content: bytes, size: int, portion: int
) -> None:
    stream = stream_of(content, content, portion)
    parts = []
    while part := stream.read(size):
        parts.append(part)
    assert b"".join(parts) == content
    assert all(len(part) == size for part in parts[:-1])


@given(st.binary(min_size=1, max_size=200), st.data(), st.integers(1, 50))
def test_last_chunk_of_corrupted_content_is_never_returned(
    content: bytes, data: st.DataObject, size: int
) -> None:
    kind = data.draw(st.sampled_from(["flipped", "short", "long"]))
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    wrong = {"flipped": flipped, "short": content[:at], "long": content + b"x"}[kind]
    stream = stream_of(content, wrong)
    got: list[bytes] = []
    with pytest.raises(IntegrityError):
        got.extend(iter(lambda: stream.read(size), b""))
    assert sum(map(len, got)) < len(content)


def test_corruption_is_detected_before_a_tar_writer_stops_reading() -> None:
    content = b"x" * 1000
    member = tarfile.TarInfo("blob")
    member.size = len(content)
    with (
        tarfile.open(fileobj=io.BytesIO(), mode="w") as archive,
        pytest.raises(DigestMismatchError),
    ):
        archive.addfile(member, stream_of(content, b"y" * 1000))


def test_resumed_stream_is_verified_as_a_whole() -> None:
    content = b"0123456789"
    descriptor = Descriptor.of(content, "text/plain")
    hasher = descriptor.digest.hasher()
    hasher.update(content[:4])
    rest = VerifiedStream(io.BytesIO(content[4:]), descriptor, offset=4, hasher=hasher)
    assert (len(rest), rest.read()) == (6, content[4:])


@pytest.mark.parametrize(("given_", "error"), [(b"", None), (b"x", SizeMismatchError)])
def test_empty_content_is_verified(given_: bytes, error: type[IntegrityError] | None) -> None:
    stream = stream_of(b"", given_)
    if error:
        with pytest.raises(error):
            stream.read()
    else:
        assert stream.read() == b""


def test_sha512_is_verified() -> None:
    content = b"content"
    descriptor = Descriptor("text/plain", Digest.of(content, "sha512"), len(content))
    assert VerifiedStream(io.BytesIO(content), descriptor).read() == content
    with pytest.raises(DigestMismatchError):
        VerifiedStream(io.BytesIO(b"Content"), descriptor).read()


class Slow:
    """A slow stream that returns a few bytes at a time."""

    def __init__(self, content: bytes, pause: float) -> None:
        self._content = io.BytesIO(content)
        self._pause = pause
        self.asked: list[int] = []

    def read(self, size: int, /) -> bytes:
        self.asked.append(size)
        time.sleep(self._pause)
        return self._content.read(size)

    def close(self) -> None:
        self._content.close()


def test_slow_stream_reports_progress_within_a_chunk() -> None:
    content = bytes(CHUNK_SIZE // 4)
    reported: list[int] = []
    line = Slow(content, 0.06)
    stream = VerifiedStream(line, Descriptor.of(content, "x"), watch=reported.append)
    assert stream.read() == content
    assert reported == [CHUNK_SIZE // 16 * n for n in range(1, 5)]


def test_fast_stream_is_read_in_whole_chunks() -> None:
    content = bytes(8 * CHUNK_SIZE)
    line = Slow(content, 0)
    stream = VerifiedStream(line, Descriptor.of(content, "x"), watch=lambda _: None)
    while stream.read(CHUNK_SIZE):
        pass
    assert line.asked.count(CHUNK_SIZE) == 7


def test_unwatched_stream_is_read_in_whole_chunks() -> None:
    content = bytes(CHUNK_SIZE)
    line = Slow(content, 0)
    VerifiedStream(line, Descriptor.of(content, "x")).read()
    assert line.asked == [CHUNK_SIZE, 1]


def test_initial_offset_is_reported() -> None:
    place = MemoryPlace()
    descriptor = place.add(b"hello", "x")
    reported: list[int] = []
    content = Content(place, descriptor, watch=reported.append)
    with content.open() as stream:
        hasher = descriptor.digest.hasher()
        hasher.update(stream.read(2))
    with content.open(2, hasher) as stream:
        stream.read()
    assert reported == [0, 2, 2, 5]


def test_read_of_zero_bytes_and_read_after_the_end() -> None:
    source = Trickle(b"content", 3)
    stream = VerifiedStream(source, Descriptor.of(b"content", "text/plain"))
    assert stream.read(0) == b""
    assert stream.read() == b"content"
    source.close()
    assert stream.read() == stream.read(5) == b""


class DoubtedPlace(MemoryPlace):
    """A source that can fetch corrupted content again."""

    doubted = 0

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        assert descriptor.size == len(b"content")
        self.doubted += 1
        return True


@pytest.mark.parametrize(("offset", "doubted"), [(0, 1), (4, 0)])
def test_corruption_is_reported_only_for_content_read_from_its_start(
    offset: int, doubted: int
) -> None:
    place, right = DoubtedPlace(), Descriptor.of(b"content", "text/plain")
    place.put(right, b"CONTENT")
    hasher = right.digest.hasher()
    hasher.update(b"cont"[:offset])
    stream = Content(place, right).open(offset, hasher)
    with pytest.raises(DigestMismatchError) as caught:
        stream.read()
    assert (place.doubted, caught.value.retryable) == (doubted, bool(doubted))
