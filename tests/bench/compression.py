"""``python -m tests.bench.compression``: how quick and how tight the libraries of Python pack."""

from __future__ import annotations

import argparse
import importlib
import io
import random
import sys
import sysconfig
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.layers.compression import Compression, Unpacker
from ghcrctl.layers.compressor import make_compressor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = 1024 * 1024
_RAW = -15
_GZIP = 31
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to pack or unpack. ``run``: takes all bytes, gives back how many came out."""

    name: str
    library: str
    run: Callable[[bytes, int, int], int]
    levels: tuple[int, ...]
    threads: tuple[int, ...] = (1,)


def _pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start : start + _BLOCK] for start in range(0, len(view), _BLOCK))


def _stream(module: str) -> Callable[[bytes, int, int], int]:
    """Pack with zlib's interface, as one stream."""

    def run(data: bytes, level: int, _: int) -> int:
        library = importlib.import_module(module)
        member = library.compressobj(level, library.DEFLATED, _GZIP)
        return sum(len(member.compress(piece)) for piece in _pieces(data)) + len(member.flush())

    return run


def _blocks(module: str) -> Callable[[bytes, int, int], int]:
    """Pack with zlib's interface, in blocks that know nothing of each other."""

    def run(data: bytes, level: int, threads: int) -> int:
        library = importlib.import_module(module)

        def pack(piece: memoryview) -> int:
            member = library.compressobj(level, library.DEFLATED, _RAW)
            return len(member.compress(piece)) + len(member.flush(library.Z_SYNC_FLUSH))

        with ThreadPoolExecutor(threads) as pool:
            packed = sum(pool.map(pack, _pieces(data)))
        library.crc32(data)
        return packed

    return run


def _gzip_file(module: str) -> Callable[[bytes, int, int], int]:
    """Pack with a library's own gzip file of several threads."""

    def run(data: bytes, level: int, threads: int) -> int:
        target = io.BytesIO()
        with importlib.import_module(module).open(
            target, "wb", compresslevel=level, threads=threads, block_size=_BLOCK
        ) as file:
            for piece in _pieces(data):
                file.write(piece)
        return len(target.getvalue())

    return run


def _zstandard(data: bytes, level: int, threads: int) -> int:
    library: Any = importlib.import_module("zstandard")
    settings = library.ZstdCompressionParameters.from_level(
        level, threads=threads, job_size=2 * _BLOCK, write_checksum=True
    )
    member = library.ZstdCompressor(compression_params=settings).compressobj()
    return sum(len(member.compress(piece)) for piece in _pieces(data)) + len(member.flush())


def _as_in_the_standard_library(data: bytes, level: int, threads: int) -> int:
    library: Any = importlib.import_module("backports.zstd")
    names = library.CompressionParameter
    member = library.ZstdCompressor(
        options={
            names.compression_level: level,
            names.checksum_flag: 1,
            names.nb_workers: threads,
            names.job_size: 2 * _BLOCK,
        }
    )
    return sum(len(member.compress(piece)) for piece in _pieces(data)) + len(member.flush())


def _ours(compression: Compression) -> Callable[[bytes, int, int], int]:
    def run(data: bytes, level: int, threads: int) -> int:
        sizes: list[int] = []
        with make_compressor(
            compression, lambda part: sizes.append(len(part)), level=level, threads=threads
        ) as packer:
            for piece in _pieces(data):
                packer.write(piece)
        return sum(sizes)

    return run


def _unpack_stream(module: str) -> Callable[[bytes, int, int], int]:
    def run(data: bytes, _: int, __: int) -> int:
        member = importlib.import_module(module).decompressobj(_GZIP)
        total = 0
        for piece in _pieces(data):
            left: Any = piece
            while left:
                total += len(member.decompress(left, _BLOCK))
                left = member.unconsumed_tail
        return total

    return run


def _unpack_zstandard(data: bytes, _: int, __: int) -> int:
    member = importlib.import_module("zstandard").ZstdDecompressor().decompressobj()
    return sum(len(member.decompress(piece)) for piece in _pieces(data))


def _unpack_as_in_the_standard_library(data: bytes, _: int, __: int) -> int:
    member = importlib.import_module("backports.zstd").ZstdDecompressor()
    return sum(len(member.decompress(piece)) for piece in _pieces(data))


def _unpack_ours(compression: Compression) -> Callable[[bytes, int, int], int]:
    def run(data: bytes, _: int, __: int) -> int:
        sizes: list[int] = []
        unpacker = Unpacker(compression)
        for start in range(0, len(data), _BLOCK):
            unpacker.feed(data[start : start + _BLOCK], lambda part: sizes.append(len(part)))
        unpacker.finish()
        return sum(sizes)

    return run


_BOTH = (1, 2)
PACKING = (
    Contestant("zlib, one stream", "zlib", _stream("zlib"), (1, 6)),
    Contestant("zlib, blocks", "zlib", _blocks("zlib"), (6,), _BOTH),
    Contestant("isal_zlib, one stream", "isal", _stream("isal.isal_zlib"), (1, 2, 3)),
    Contestant("isal_zlib, blocks", "isal", _blocks("isal.isal_zlib"), (2, 3), _BOTH),
    Contestant("igzip_threaded", "isal", _gzip_file("isal.igzip_threaded"), (2, 3), _BOTH),
    Contestant("zlib_ng, one stream", "zlib_ng", _stream("zlib_ng.zlib_ng"), (1, 3, 6)),
    Contestant("zlib_ng, blocks", "zlib_ng", _blocks("zlib_ng.zlib_ng"), (3, 6), _BOTH),
    Contestant("gzip_ng_threaded", "zlib_ng", _gzip_file("zlib_ng.gzip_ng_threaded"), (6,), _BOTH),
    Contestant("ghcrctl, gzip", "zlib_ng", _ours(Compression.GZIP), (6,), _BOTH),
    Contestant("zstandard", "zstandard", _zstandard, (1, 3, 9), _BOTH),
    Contestant("backports.zstd", "backports.zstd", _as_in_the_standard_library, (3,), _BOTH),
    Contestant("ghcrctl, zstd", "zstandard", _ours(Compression.ZSTD), (3,), _BOTH),
)
UNPACKING_GZIP = (
    Contestant("zlib", "zlib", _unpack_stream("zlib"), (0,)),
    Contestant("isal_zlib", "isal", _unpack_stream("isal.isal_zlib"), (0,)),
    Contestant("zlib_ng", "zlib_ng", _unpack_stream("zlib_ng.zlib_ng"), (0,)),
    Contestant("ghcrctl, gzip", "zlib", _unpack_ours(Compression.GZIP), (0,)),
)
UNPACKING_ZSTD = (
    Contestant("zstandard", "zstandard", _unpack_zstandard, (0,)),
    Contestant("backports.zstd", "backports.zstd", _unpack_as_in_the_standard_library, (0,)),
    Contestant("ghcrctl, zstd", "zstandard", _unpack_ours(Compression.ZSTD), (0,)),
)


def make_mixed(size: int) -> bytes:
    """Make a tar archive, half random bytes and half text, the same at every run."""
    chance = random.Random(0)
    words = [chance.randbytes(chance.randrange(2, 7)).hex() for _ in range(5000)]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(max(1, size // (2 * _BLOCK))):
            text = " ".join(chance.choices(words, k=_BLOCK // 8)).encode()[:_BLOCK]
            for kind, data in (("data", chance.randbytes(_BLOCK)), ("text", text)):
                member = tarfile.TarInfo(f"{kind}-{number:04}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def make_python(size: int) -> bytes:
    """Make a tar archive of Python's own library, as long as is wanted at the most."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(sysconfig.get_paths()["stdlib"], "python")
    return packed.getvalue()[:size]


def main() -> int:
    """Measure every library on both archives and print one table for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compression", description=__doc__)
    parser.add_argument("--size", type=int, default=100, help="megabytes of each archive")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the best counts")
    options = parser.parse_args()
    for name, make in (("half random, half text", make_mixed), ("Python's library", make_python)):
        data = make(options.size * _MEGABYTE)
        print(f"\n{name}: {len(data) / _MEGABYTE:.0f} MB")  # noqa: T201
        _measure("pack", PACKING, data, len(data), options.runs)
        for compression, unpacking in (
            (Compression.GZIP, UNPACKING_GZIP),
            (Compression.ZSTD, UNPACKING_ZSTD),
        ):
            parts: list[bytes] = []
            with make_compressor(compression, parts.append) as packer:
                packer.write(data)
            _measure("unpack", unpacking, b"".join(parts), len(data), options.runs)
    return 0


def _measure(
    act: str, contestants: tuple[Contestant, ...], data: bytes, plain: int, runs: int
) -> None:
    """Print one line for each contestant, level and number of threads; speed is of plain bytes."""
    for one in contestants:
        try:
            importlib.import_module(one.library)
        except ImportError:
            print(f"{act:<8}{one.name:<24}not installed")  # noqa: T201
            continue
        for level, threads in ((x, y) for x in one.levels for y in one.threads):
            seconds, size = _best(lambda l=level, t=threads, c=one: c.run(data, l, t), runs)  # type: ignore[misc] # noqa: E741
            ratio = f"{100 * size / plain:5.1f} %" if act == "pack" else ""
            print(  # noqa: T201
                f"{act:<8}{one.name:<24}level {level or '-'}  threads {threads}  "
                f"{plain / seconds / _MEGABYTE:7.0f} MB/s  {ratio}"
            )


def _best(run: Callable[[], int], runs: int) -> tuple[float, int]:
    best, size = float("inf"), 0
    for _ in range(runs):
        began = time.perf_counter()
        size = run()
        best = min(best, time.perf_counter() - began)
    return best, size


if __name__ == "__main__":
    sys.exit(main())
