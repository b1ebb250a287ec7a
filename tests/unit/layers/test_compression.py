"""Detection and decompression of compressed streams."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import IntegrityError, UnsupportedError
from ghcrctl.layers.compression import CHUNK_SIZE, Compression, Unpacker, detect
from ghcrctl.layers.compressor import make_compressor
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = random.Random(1).randbytes(100_000) + bytes(3 * CHUNK_SIZE) + b"the end"
PACK: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.GZIP: gzip.compress,
    Compression.BZIP2: bz2.compress,
    Compression.XZ: lzma.compress,
    Compression.ZSTD: lambda data: zstd.compress(
        data, options={zstd.CompressionParameter.checksum_flag: 1}
    ),
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
def test_each_format_is_detected_and_decompressed(compression: Compression, step: int) -> None:
    packed = PACK[compression](DATA)
    assert detect(packed[:6]) is compression
    assert unpack(compression, packed, step) == DATA


def test_uncompressed_bytes_are_detected() -> None:
    assert detect(b"a tar") is Compression.NONE
    assert detect(b"") is Compression.NONE


@PACKED
@pytest.mark.parametrize("step", [7, 1 << 24])
def test_concatenated_members_are_one_stream(compression: Compression, step: int) -> None:
    pack = PACK[compression]
    assert unpack(compression, pack(b"one ") + pack(b"") + pack(b"two"), step) == b"one two"


@PACKED
def test_zeros_after_the_last_member_are_ignored(compression: Compression) -> None:
    assert unpack(compression, PACK[compression](b"x") + bytes(512), 64) == b"x"


@PACKED
def test_truncated_stream_is_an_error(compression: Compression) -> None:
    packed = PACK[compression](DATA)
    with pytest.raises(IntegrityError, match="is truncated"):
        unpack(compression, packed[:-5], 4096)


@PACKED
def test_invalid_bytes_in_the_middle_are_an_error(compression: Compression) -> None:
    packed = bytearray(PACK[compression](DATA))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(range(40))
    with pytest.raises(IntegrityError, match=compression.value):
        unpack(compression, bytes(packed), 4096)


@PACKED
def test_invalid_bytes_after_a_member_are_an_error(compression: Compression) -> None:
    with pytest.raises(IntegrityError):
        unpack(compression, PACK[compression](b"x") + b"something else entirely", 4096)


def test_errors_of_the_callback_are_not_translated() -> None:
    def take(_: bytes) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        Unpacker(Compression.GZIP).feed(gzip.compress(b"x"), take)


@PACKED
def test_decompression_bomb_is_output_in_chunks(compression: Compression) -> None:
    packed = PACK[compression](bytes(80 * CHUNK_SIZE))
    largest = total = 0

    def take(part: bytes) -> None:
        nonlocal largest, total
        largest, total = max(largest, len(part)), total + len(part)

    tracemalloc.start()
    try:
        unpacker = Unpacker(compression)
        unpacker.feed(packed, take)
        unpacker.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (largest, total) == (CHUNK_SIZE, 80 * CHUNK_SIZE)
    assert peak < 50 * CHUNK_SIZE


def test_largest_zstd_bomb_is_output_in_chunks() -> None:
    # Each block of 4 bytes repeats one byte 128 Ki times (RFC 8878, section 3.1.1.2.3).
    count = 10_000
    block = ((128 * 1024 << 3) | 0b010).to_bytes(3, "little") + b"x"
    last = ((1 << 3) | 0b011).to_bytes(3, "little") + b"x"
    packed = b"\x28\xb5\x2f\xfd\x00\x38" + block * count + last
    total = 0

    def take(part: bytes) -> None:
        nonlocal total
        assert len(part) <= CHUNK_SIZE
        total += len(part)

    tracemalloc.start()
    try:
        unpacker = Unpacker(Compression.ZSTD)
        unpacker.feed(packed, take)
        unpacker.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == count * 128 * 1024 + 1
    assert peak < 50 * CHUNK_SIZE


def test_too_large_zstd_window_is_rejected() -> None:
    # A frame with a window of 2 GiB (RFC 8878, section 3.1.1.1.2).
    with pytest.raises(IntegrityError, match="zstd"):
        unpack(Compression.ZSTD, b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(64), 64)


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD], ids=lambda c: c.value)
def test_many_tiny_members_are_one_stream(compression: Compression) -> None:
    tiny = PACK[compression](b"x")
    assert unpack(compression, tiny * 30_000, CHUNK_SIZE) == b"x" * 30_000


def test_skippable_zstd_frames_are_skipped() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    packed = PACK[Compression.ZSTD](b"one ") + skipped + PACK[Compression.ZSTD](b"two")
    assert unpack(Compression.ZSTD, packed, 1000) == b"one two"


@pytest.mark.parametrize("kind", range(16))
@pytest.mark.parametrize("size", [0, 100_000])
def test_zstd_stream_may_start_with_a_skippable_frame(kind: int, size: int) -> None:
    frame = bytes([0x50 + kind]) + b"\x2a\x4d\x18" + size.to_bytes(4, "little") + bytes(size)
    stream = frame * 2 + PACK[Compression.ZSTD](b"data") + frame
    assert detect(stream) is Compression.ZSTD
    assert unpack(Compression.ZSTD, stream, 1000) == b"data"


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD], ids=lambda c: c.value)
def test_wrong_checksum_is_an_error(compression: Compression) -> None:
    packed = bytearray(PACK[compression](b"some text " * 50))
    packed[-6 if compression is Compression.GZIP else -1] ^= 1
    with pytest.raises(IntegrityError, match="damaged"):
        unpack(compression, bytes(packed), 4096)


def test_standard_library_decompresses_without_zlib_ng(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "zlib_ng.zlib_ng", None)
    assert unpack(Compression.GZIP, gzip.compress(DATA), 100_000) == DATA


@pytest.mark.parametrize(
    "use",
    [Unpacker, lambda compression: make_compressor(compression, print)],
    ids=["read", "write"],
)
def test_python_without_zstd_is_reported(
    use: Callable[[Compression], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    package, _, module = zstd.__name__.partition(".")
    monkeypatch.setitem(sys.modules, zstd.__name__, None)
    monkeypatch.delattr(sys.modules[package], module)
    with pytest.raises(UnsupportedError, match="zstd is not supported by this Python") as caught:
        use(Compression.ZSTD)
    assert caught.value.hint
    assert caught.value.hint.endswith("compress with gzip")


def test_zstd_window_over_128_mib_is_rejected() -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 28}
    compressor = zstd.ZstdCompressor(options=options)
    packed = compressor.compress(b"x") + compressor.flush()
    with pytest.raises(IntegrityError, match="too much memory"):
        unpack(Compression.ZSTD, packed, 4096)
