"""Reading ahead."""

from __future__ import annotations

import io
import threading

import pytest

from ghcrctl.content.read_ahead import read_ahead
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import ConnectionLostError

DATA = bytes(range(256)) * (CHUNK_SIZE // 64)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_bytes_are_in_order_and_the_thread_ends() -> None:
    with read_ahead(io.BytesIO(DATA)) as stream:
        assert b"".join(iter(lambda: stream.read(CHUNK_SIZE), b"")) == DATA
        assert stream.read(1) == b""
    assert threads() == []


class Breaking(io.BytesIO):
    """A stream that fails after its bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise ConnectionLostError("broken")
        return data


def test_error_is_raised_after_the_bytes_before_it() -> None:
    with read_ahead(Breaking(DATA)) as stream:
        got = b"".join(stream.read(CHUNK_SIZE) for _ in range(len(DATA) // CHUNK_SIZE))
        with pytest.raises(ConnectionLostError):
            stream.read(CHUNK_SIZE)
    assert got == DATA
    assert threads() == []


def test_closing_early_stops_the_thread() -> None:
    source = io.BytesIO(DATA * 8)
    with read_ahead(source) as stream:
        stream.read(CHUNK_SIZE)
    assert threads() == []
    assert source.tell() < len(DATA) * 8
