"""Archives written by `ArchiveSink`."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.archive_sink import ArchiveSink
from ghcrctl.content.streams import CHUNK_SIZE, Content
from ghcrctl.errors import ConnectionLostError, IntegrityError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream

LINUX = Platform("linux", "amd64")
DATA = bytes(range(250)) * 20_000
BLOB = Descriptor.of(DATA, "application/octet-stream")


class Breaking:
    """A source that fails at each opening except the last."""

    label = "the script"

    def __init__(self, *breaks: int) -> None:
        self._breaks = list(breaks)

    def resolve(self, name: str) -> Descriptor:
        raise NotImplementedError(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        del descriptor
        end = self._breaks.pop(0) if self._breaks else len(DATA)
        return _BreakingStream(io.BytesIO(DATA[offset:end]), broken=end < len(DATA))


class _BreakingStream:
    def __init__(self, data: io.BytesIO, *, broken: bool) -> None:
        self._data = data
        self._broken = broken

    def read(self, size: int, /) -> bytes:
        chunk = self._data.read(size)
        if not chunk and self._broken:
            raise ConnectionLostError("broken")
        return chunk

    def close(self) -> None:
        pass


@pytest.mark.parametrize("breaks", [(10,), (CHUNK_SIZE, CHUNK_SIZE + 1), (3 * CHUNK_SIZE + 7, 5)])
def test_second_attempt_resumes_within_the_file(breaks: tuple[int, ...]) -> None:
    buffer = io.BytesIO()
    sink = ArchiveSink(buffer.write, LINUX)
    content = Content(Breaking(*breaks), BLOB)
    for _ in breaks:
        with pytest.raises(ConnectionLostError):
            sink.write(content)
    sink.write(content)
    sink.finish()
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        file = archive.extractfile(f"blobs/sha256/{BLOB.digest.encoded}")
        assert file
        assert file.read() == DATA


def test_other_content_after_a_partial_file_is_an_error() -> None:
    sink = ArchiveSink(io.BytesIO().write, LINUX)
    with pytest.raises(ConnectionLostError):
        sink.write(Content(Breaking(2 * CHUNK_SIZE), BLOB))
    other = Descriptor.of(b"other", "application/octet-stream")
    with pytest.raises(IntegrityError, match="ended early"):
        sink.write(Content(_Other(), other))


class _Other:
    label = "another"

    def resolve(self, name: str) -> Descriptor:
        raise NotImplementedError(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        del descriptor
        return io.BytesIO(b"other"[offset:])
