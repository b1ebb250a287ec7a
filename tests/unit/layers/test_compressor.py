"""Reproducible compression with threads."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import subprocess
import sys
import tarfile
import threading
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from ghcrctl.errors import UnsupportedError, UsageError
from ghcrctl.layers.codecs import deflate
from ghcrctl.layers.compression import Compression, Unpacker
from ghcrctl.layers.compressor import (
    BLOCK_SIZE,
    DEFAULT_LEVELS,
    LEVELS,
    MAX_THREADS,
    default_threads,
    make_compressor,
)
from tests.integration.peers import require_peer
from tests.zstd import zstd

BOTH = (Compression.GZIP, Compression.ZSTD)
EACH = pytest.mark.parametrize("compression", BOTH, ids=lambda c: c.value)


def make_data(blocks: int) -> bytes:
    """Return alternating text and random bytes with an incomplete last block."""
    chance = random.Random(3)
    words = [chance.randbytes(5).hex().encode() for _ in range(1000)]
    half = BLOCK_SIZE // 2
    parts = []
    for _ in range(blocks):
        parts.append(b" ".join(chance.choices(words, k=half // 11)))
        parts.append(chance.randbytes(half))
    return b"".join(parts) + b"the end"


DATA = make_data(6)


def pack(
    compression: Compression,
    data: bytes,
    *,
    step: int = 1 << 24,
    threads: int | None = None,
    level: int | None = None,
) -> bytes:
    parts: list[bytes] = []
    with make_compressor(compression, parts.append, level=level, threads=threads) as packer:
        for start in range(0, len(data), step):
            packer.write(data[start : start + step])
    return b"".join(parts)


def unpack(compression: Compression, packed: bytes) -> bytes:
    parts: list[bytes] = []
    unpacker = Unpacker(compression)
    unpacker.feed(packed, parts.append)
    unpacker.finish()
    return b"".join(parts)


def packing_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("ghcrctl-pack")]


def system_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@EACH
@pytest.mark.parametrize(
    "size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, len(DATA)], ids=str
)
def test_compressed_data_can_be_decompressed(compression: Compression, size: int) -> None:
    data = DATA[:size]
    assert unpack(compression, pack(compression, data)) == data


@EACH
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_output_does_not_depend_on_the_number_of_threads(
    compression: Compression, threads: int
) -> None:
    assert pack(compression, DATA, threads=threads) == pack(compression, DATA, threads=1)


@EACH
@pytest.mark.parametrize("step", [10_007, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE])
def test_output_does_not_depend_on_the_size_of_writes(compression: Compression, step: int) -> None:
    assert pack(compression, DATA, step=step, threads=2) == pack(compression, DATA, threads=2)


# These are the versions in release/requirements.txt. Other versions may write other bytes. If an
# update of that file changes a digest, mention in the changelog that layers get other digests.
_LOCKED = {Compression.GZIP: "2.3.3", Compression.ZSTD: "1.5.7"}


def _version(compression: Compression) -> str:
    if compression is Compression.ZSTD:
        return str(zstd.zstd_version)
    return str(getattr(deflate(), "ZLIBNG_RUNTIME_VERSION", "zlib"))


@pytest.mark.parametrize(
    ("compression", "level", "digest"),
    [
        (Compression.GZIP, 1, "e77bdedd6b068f00"),
        (Compression.GZIP, 6, "d0e0b4f6dd7984f3"),
        (Compression.GZIP, 9, "a1d7d7f8f8b30e21"),
        (Compression.ZSTD, 1, "9326a1a6045b377c"),
        (Compression.ZSTD, 3, "d956a72570534144"),
        (Compression.ZSTD, 9, "af1fa6568700e84c"),
    ],
)
def test_the_locked_libraries_write_the_same_bytes_on_every_machine(
    compression: Compression, level: int, digest: str
) -> None:
    if _version(compression) != _LOCKED[compression]:
        pytest.skip(f"{compression.value} {_version(compression)} is not the locked version")
    packed = pack(compression, DATA, level=level)
    assert hashlib.sha256(packed).hexdigest()[:16] == digest


def test_gzip_header_has_no_name_time_or_system() -> None:
    assert pack(Compression.GZIP, b"x")[:10] == b"\x1f\x8b\x08" + bytes(6) + b"\xff"


def test_gzip_is_one_member_with_a_checksum() -> None:
    packed = pack(Compression.GZIP, DATA, threads=2)
    assert gzip.decompress(packed) == DATA
    assert packed.count(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff") == 1
    assert int.from_bytes(packed[-4:], "little") == len(DATA)


def test_zstd_is_one_frame_with_a_checksum() -> None:
    packed = pack(Compression.ZSTD, DATA, threads=2)
    assert packed.count(b"\x28\xb5\x2f\xfd") == 1
    assert packed[4] & 0b100  # RFC 8878, section 3.1.1.1.1


def test_zstd_program_reads_output_and_detects_damage() -> None:
    packed = pack(Compression.ZSTD, DATA, threads=2)
    damaged = packed[:-1] + bytes([packed[-1] ^ 1])
    zstd = require_peer("zstd")
    assert subprocess.run([zstd, "-tq"], input=packed, check=False).returncode == 0
    assert subprocess.run([zstd, "-tqq"], input=damaged, check=False).returncode != 0


def test_gzip_program_reads_output() -> None:
    packed = pack(Compression.GZIP, DATA, threads=2)
    gzip = require_peer("gzip")
    done = subprocess.run([gzip, "-dc"], input=packed, capture_output=True, check=True)
    assert done.stdout == DATA


@EACH
def test_compressed_archive_is_readable_by_tarfile(compression: Compression) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        member = tarfile.TarInfo("data")
        member.size = len(DATA)
        archive.addfile(member, io.BytesIO(DATA))
    packed = pack(compression, plain.getvalue())
    if compression is Compression.ZSTD:
        packed = gzip.compress(unpack(compression, packed), compresslevel=1)
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        assert archive.getnames() == ["data"]
        content = archive.extractfile("data")
        assert content is not None
        assert content.read() == DATA


@EACH
@pytest.mark.parametrize("level", [1, 9])
def test_each_level_compresses(compression: Compression, level: int) -> None:
    assert (
        unpack(compression, pack(compression, DATA[:BLOCK_SIZE], level=level))
        == (DATA[:BLOCK_SIZE])
    )


@EACH
def test_default_level(compression: Compression) -> None:
    usual = DEFAULT_LEVELS[compression]
    assert pack(compression, DATA, level=usual) == pack(compression, DATA)


@EACH
@pytest.mark.parametrize("beyond", [-1, 1], ids=["below", "above"])
def test_invalid_level_is_rejected(compression: Compression, beyond: int) -> None:
    levels = LEVELS[compression]
    level = levels[0] - 1 if beyond < 0 else levels[-1] + 1
    with pytest.raises(UsageError, match=f"level {level}: expected"):
        make_compressor(compression, print, level=level)


@pytest.mark.parametrize("compression", [Compression.BZIP2, Compression.XZ], ids=lambda c: c.value)
def test_formats_unsupported_by_images_are_not_written(compression: Compression) -> None:
    with pytest.raises(UnsupportedError, match=compression.value):
        make_compressor(compression, print)


def test_no_compression_returns_the_bytes_unchanged() -> None:
    assert pack(Compression.NONE, DATA, step=100_000) == DATA


def test_number_of_threads_is_limited() -> None:
    assert 1 <= default_threads() <= MAX_THREADS
    assert pack(Compression.GZIP, b"x", threads=0) == pack(Compression.GZIP, b"x", threads=1000)


@EACH
def test_buffer_may_change_after_the_write(
    compression: Compression,
) -> None:
    parts: list[bytes] = []
    chunk = bytearray(b"x" * (BLOCK_SIZE + 10))
    with make_compressor(compression, parts.append, threads=2) as packer:
        packer.write(chunk)
        chunk[:] = b"y" * len(chunk)
        packer.write(memoryview(chunk)[:5])
    assert unpack(compression, b"".join(parts)) == b"x" * (BLOCK_SIZE + 10) + b"y" * 5


@pytest.mark.parametrize("compression", [*BOTH, Compression.NONE], ids=lambda c: c.value)
@pytest.mark.parametrize("good", [0, 1, 3])
def test_error_of_the_callback_is_raised_and_stops_threads(
    compression: Compression, good: int
) -> None:
    before = system_threads() if sys.platform == "linux" else 0
    taken = 0

    def take(_: bytes) -> None:
        nonlocal taken
        taken += 1
        if taken > good:
            raise OSError("the disk is full")

    packer = make_compressor(compression, take, threads=3)

    def pack_all() -> None:
        for _ in range(3):
            packer.write(DATA)
        packer.close()

    with pytest.raises(OSError, match="disk is full"):
        pack_all()
    assert taken == good + 1
    assert not packing_threads()
    if sys.platform == "linux":
        # The system's list of threads is updated shortly after a join.
        until = time.monotonic() + 5
        while system_threads() > before and time.monotonic() < until:
            time.sleep(0.01)
        assert system_threads() <= before
    with pytest.raises(ValueError, match="closed"):
        packer.write(b"more")
    packer.close()
    assert taken == good + 1


def test_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    from zlib_ng import zlib_ng

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(zlib_ng, "compressobj", broken)
    packer = make_compressor(Compression.GZIP, len, threads=2)

    def pack_all() -> None:
        packer.write(b"x" * BLOCK_SIZE)
        packer.close()

    with pytest.raises(MemoryError):
        pack_all()
    assert not packing_threads()


@EACH
def test_exception_between_writes_leaves_the_stream_incomplete(compression: Compression) -> None:
    parts: list[bytes] = []

    def interrupted() -> None:
        with make_compressor(compression, parts.append, threads=2) as packer:
            packer.write(DATA)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not packing_threads()
    assert pack(compression, DATA) != b"".join(parts)


def test_unclosed_compressor_leaves_no_thread() -> None:
    packer = make_compressor(Compression.GZIP, len, threads=2)
    packer.write(DATA)
    threads = packing_threads()
    assert threads
    del packer
    for thread in threads:
        thread.join(timeout=10)
    assert not packing_threads()


def test_small_input_starts_no_thread() -> None:
    packer = make_compressor(Compression.GZIP, len, threads=2)
    packer.write(b"small")
    assert not packing_threads()
    packer.close()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_memory_does_not_grow_with_the_input(threads: int) -> None:
    block = random.Random(1).randbytes(BLOCK_SIZE)
    tracemalloc.start()
    try:
        with make_compressor(Compression.GZIP, len, threads=threads) as packer:
            for _ in range(40):
                packer.write(block)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Each pending block may be in memory twice, compressed and uncompressed.
    assert peak < (threads + 2) * 4 * BLOCK_SIZE


def test_zlib_compresses_gzip_where_zlib_ng_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    assert deflate() is zlib
    packed = pack(Compression.GZIP, DATA, threads=2)
    assert gzip.decompress(packed) == DATA
    assert packed == pack(Compression.GZIP, DATA, threads=1)


def test_a_libzstd_without_threads_compresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd.CompressionParameter, "bounds", lambda _: (0, 0))
    assert unpack(Compression.ZSTD, pack(Compression.ZSTD, DATA, threads=2)) == DATA


def test_compression_libraries_are_imported_lazily() -> None:
    code = (
        "import sys, ghcrctl.layers.compressor, ghcrctl.layers.compression; "
        "print([m for m in ('zlib_ng', 'backports', 'compression') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_incompressible_data_is_stored() -> None:
    chance = random.Random(1)
    dense, text = chance.randbytes(BLOCK_SIZE // 2), b"words and words " * (BLOCK_SIZE // 32)
    data = text + dense + text + dense[:1000]
    packed = pack(Compression.GZIP, data)
    assert gzip.decompress(packed) == data
    assert dense[:60_000] in packed
    assert len(dense) < len(packed) < len(dense) + 20_000
