"""Verified streams: right to the last byte, and never past it."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.content.streams import VerifiedStream
from ghcrctl.errors import DigestMismatchError, IntegrityError, SizeMismatchError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest


class Trickle:
    """A source that gives fewer bytes than it is asked for."""

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
def test_gives_what_was_put_in_whatever_the_cuts(content: bytes, size: int, portion: int) -> None:
    stream = stream_of(content, content, portion)
    parts = []
    while part := stream.read(size):
        parts.append(part)
    assert b"".join(parts) == content
    assert all(len(part) == size for part in parts[:-1])


@given(st.binary(min_size=1, max_size=200), st.data(), st.integers(1, 50))
def test_wrong_content_never_gives_out_its_last_chunk(
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


def test_catches_what_a_tar_writer_would_let_pass() -> None:
    content = b"x" * 1000
    member = tarfile.TarInfo("blob")
    member.size = len(content)
    with (
        tarfile.open(fileobj=io.BytesIO(), mode="w") as archive,
        pytest.raises(DigestMismatchError),
    ):
        archive.addfile(member, stream_of(content, b"y" * 1000))


def test_verifies_across_a_resume() -> None:
    content = b"0123456789"
    descriptor = Descriptor.of(content, "text/plain")
    hasher = descriptor.digest.hasher()
    hasher.update(content[:4])
    rest = VerifiedStream(io.BytesIO(content[4:]), descriptor, offset=4, hasher=hasher)
    assert (len(rest), rest.read()) == (6, content[4:])


@pytest.mark.parametrize(("given_", "error"), [(b"", None), (b"x", SizeMismatchError)])
def test_empty_content_is_verified_by_its_one_read(
    given_: bytes, error: type[IntegrityError] | None
) -> None:
    stream = stream_of(b"", given_)
    if error:
        with pytest.raises(error):
            stream.read()
    else:
        assert stream.read() == b""


def test_sha512_is_verified_too() -> None:
    content = b"content"
    descriptor = Descriptor("text/plain", Digest.of(content, "sha512"), len(content))
    assert VerifiedStream(io.BytesIO(content), descriptor).read() == content
    with pytest.raises(DigestMismatchError):
        VerifiedStream(io.BytesIO(b"Content"), descriptor).read()
