"""Compression and decompression lose nothing, however the bytes are split."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import IntegrityError
from ghcrctl.layers.compression import Compression, Unpacker, detect
from ghcrctl.layers.compressor import BLOCK_SIZE, make_compressor
from tests.zstd import zstd

formats = st.sampled_from([Compression.GZIP, Compression.ZSTD])
# Some are longer than a block, so that there are several, and cheap to generate and show.
pieces = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda data, times: data * times,
            st.binary(min_size=1, max_size=50),
            st.integers(0, BLOCK_SIZE // 25),
        ),
    ),
    max_size=6,
)


def pack(compression: Compression, parts: list[bytes], threads: int) -> bytes:
    packed: list[bytes] = []
    with make_compressor(compression, packed.append, threads=threads) as packer:
        for part in parts:
            packer.write(part)
    return b"".join(packed)


def unpack(compression: Compression, packed: bytes, step: int) -> bytes:
    unpacked: list[bytes] = []
    unpacker = Unpacker(compression)
    for start in range(0, len(packed), step):
        unpacker.feed(packed[start : start + step], unpacked.append)
    unpacker.finish()
    return b"".join(unpacked)


@given(compression=formats, parts=pieces, step=st.integers(50, 1 << 20))
def test_compressed_data_decompresses_to_itself(
    compression: Compression, parts: list[bytes], step: int
) -> None:
    packed = pack(compression, parts, 2)
    assert detect(packed) is compression
    assert unpack(compression, packed, step) == b"".join(parts)


@given(compression=formats, parts=pieces, threads=st.sampled_from([1, 2, 3, 8]))
def test_output_depends_neither_on_chunks_nor_on_threads(
    compression: Compression, parts: list[bytes], threads: int
) -> None:
    assert pack(compression, parts, threads) == pack(compression, [b"".join(parts)], 1)


@given(parts=pieces)
def test_other_implementations_read_our_compressed_data(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    assert gzip.decompress(pack(Compression.GZIP, parts, 2)) == whole
    decompressor = zstd.ZstdDecompressor()
    assert decompressor.decompress(pack(Compression.ZSTD, parts, 2)) == whole
    assert decompressor.eof


@given(compression=formats, data=st.binary(max_size=2000), cut=st.integers(1, 2000))
def test_a_truncated_stream_is_detected(compression: Compression, data: bytes, cut: int) -> None:
    packed = pack(compression, [data], 1)
    with pytest.raises(IntegrityError):
        unpack(compression, packed[: max(0, len(packed) - cut)], 100)


@given(
    compression=formats,
    data=st.binary(min_size=1, max_size=2000),
    where=st.integers(0, 1 << 16),
    flip=st.integers(1, 255),
)
def test_a_damaged_stream_never_returns_other_bytes(
    compression: Compression, data: bytes, where: int, flip: int
) -> None:
    packed = bytearray(pack(compression, [data], 1))
    packed[where % len(packed)] ^= flip
    try:
        unpacked = unpack(compression, bytes(packed), 100)
    except IntegrityError:
        return
    # Changes of metadata, such as the time in a header, are not damage.
    assert unpacked == data


@given(
    members=st.lists(st.binary(max_size=100), min_size=1, max_size=20), step=st.integers(1, 5000)
)
def test_concatenated_members_and_frames_are_one_stream(members: list[bytes], step: int) -> None:
    whole = b"".join(members)
    assert unpack(Compression.GZIP, b"".join(map(gzip.compress, members)), step) == whole
    assert unpack(Compression.ZSTD, b"".join(map(zstd.compress, members)), step) == whole


@given(data=st.binary(max_size=500), step=st.integers(1, 500))
def test_any_data_is_decompressed_or_rejected(data: bytes, step: int) -> None:
    for compression in Compression:
        if compression is not Compression.NONE:
            try:
                unpack(compression, data, step)
            except IntegrityError:
                continue


@given(data=st.binary(max_size=3000))
def test_checksums_of_blocks_combine_to_that_of_the_whole(data: bytes) -> None:
    packed = pack(Compression.GZIP, [data], 2)
    assert int.from_bytes(packed[-8:-4], "little") == zlib.crc32(data)
