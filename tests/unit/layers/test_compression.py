"""Telling packed streams apart, opening them, and packing reproducibly."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import IntegrityError
from ghcrctl.layers.compression import CHUNK_SIZE, Compression, GzipWriter, Unpacker, detect

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = random.Random(1).randbytes(100_000) + bytes(3 * CHUNK_SIZE) + b"the end"
PACK: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.GZIP: gzip.compress,
    Compression.BZIP2: bz2.compress,
    Compression.XZ: lzma.compress,
}
PACKED = pytest.mark.parametrize("compression", list(PACK), ids=lambda c: c.value)


def unpack(compression: Compression, packed: bytes, step: int) -> bytes:
    unpacker = Unpacker(compression)
    parts: list[bytes] = []
    for start in range(0, len(packed), step):
        unpacker.feed(packed[start : start + step], parts.append)
    unpacker.finish()
    assert max(map(len, parts), default=0) <= CHUNK_SIZE
    return b"".join(parts)


@PACKED
@pytest.mark.parametrize("step", [1000, 1 << 24])
def test_each_format_is_told_apart_and_opened(compression: Compression, step: int) -> None:
    packed = PACK[compression](DATA)
    assert detect(packed[:6]) is compression
    assert unpack(compression, packed, step) == DATA


def test_zstd_and_plain_bytes_are_told_apart() -> None:
    assert detect(b"\x28\xb5\x2f\xfd\x00\x00") is Compression.ZSTD
    assert detect(b"a tar") is Compression.NONE
    assert detect(b"") is Compression.NONE


@PACKED
@pytest.mark.parametrize("step", [7, 1 << 24])
def test_members_after_each_other_are_one_stream(compression: Compression, step: int) -> None:
    pack = PACK[compression]
    assert unpack(compression, pack(b"one ") + pack(b"") + pack(b"two"), step) == b"one two"


@PACKED
def test_zeros_after_the_last_member_are_padding(compression: Compression) -> None:
    assert unpack(compression, PACK[compression](b"x") + bytes(512), 64) == b"x"


@PACKED
def test_a_stream_that_ends_too_early_is_damaged(compression: Compression) -> None:
    packed = PACK[compression](DATA)
    with pytest.raises(IntegrityError, match="ends too early"):
        unpack(compression, packed[:-5], 4096)


@PACKED
def test_other_bytes_in_the_middle_are_damage(compression: Compression) -> None:
    packed = bytearray(PACK[compression](DATA))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(range(40))
    with pytest.raises(IntegrityError, match=compression.value):
        unpack(compression, bytes(packed), 4096)


@PACKED
def test_what_follows_and_is_no_member_is_damage(compression: Compression) -> None:
    with pytest.raises(IntegrityError):
        unpack(compression, PACK[compression](b"x") + b"something else entirely", 4096)


@given(pieces=st.lists(st.binary(max_size=200), max_size=8))
def test_packing_depends_on_the_bytes_and_not_on_their_pieces(pieces: list[bytes]) -> None:
    def pack(parts: list[bytes]) -> bytes:
        packed: list[bytes] = []
        writer = GzipWriter(packed.append)
        for part in parts:
            writer.write(part)
        writer.close()
        return b"".join(packed)

    whole = b"".join(pieces)
    assert gzip.decompress(pack(pieces)) == whole
    assert pack(pieces) == pack(pieces)
    # Neither a name nor a time is in the header (RFC 1952, section 2.3).
    assert pack(pieces)[3:8] == bytes(5)
