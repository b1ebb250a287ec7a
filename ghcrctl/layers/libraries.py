"""The libraries that pack and unpack, found when they are needed.

What belongs here: which library does what, and what stands in where one is missing. What does not:
the formats themselves. Nothing is imported before somebody asks: start-up must not pay for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

# What the promise of same bytes everywhere is made for; docs/design/0003-compression.md has the
# reasons, and the tests pin digests, so that other versions cannot slip in.
ZLIB_NG_VERSION = "2.3.3"
ZSTD_VERSION = "1.5.7"

# A block of zstd is at most 128 KiB unpacked and at least 4 bytes packed (RFC 8878, section
# 3.1.1.2), so that this much, in bytes, unpacks to 16 MiB at the very most.
_ZSTD_SLICE = 512
_GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True)
class Library:
    """A library with a compression interface.

    Attributes:
        module: the library itself.
        name: the name and version of what packs, ``zlib-ng 2.3.3``.
        reproducible: whether it gives the bytes that every other machine's gives.
    """

    module: Any
    name: str
    reproducible: bool


def deflate() -> Library:
    """Return the library for gzip: zlib-ng, or where it is missing the standard library's zlib.

    What zlib packs is as good, but its bytes are others, and depend on whose zlib Python was built
    with.
    """
    try:
        import zlib_ng.zlib_ng as ng
    except ImportError:
        import zlib

        return Library(zlib, f"zlib {zlib.ZLIB_RUNTIME_VERSION}", reproducible=False)
    version = str(ng.ZLIBNG_RUNTIME_VERSION)
    return Library(ng, f"zlib-ng {version}", reproducible=version == ZLIB_NG_VERSION)


def zstd() -> Library:
    """Return the library that packs zstd.

    Raises:
        UnsupportedError: it is not there. Python's own, which 3.14 has, is no substitute: it packs
            with whatever version the system came with.
    """
    try:
        import zstandard
    except ImportError:
        raise UnsupportedError(
            "packing with zstd needs the package zstandard",
            hint="pip install zstandard, or pack with gzip",
        ) from None
    version = ".".join(map(str, zstandard.ZSTD_VERSION))
    return Library(zstandard, f"zstd {version}", reproducible=version == ZSTD_VERSION)


@dataclass(frozen=True, slots=True)
class Decompressor:
    """How to unpack one format.

    Attributes:
        make: makes a decompressor for one member, in the shape of ``bz2.BZ2Decompressor``.
        errors: what it raises for damaged bytes.
    """

    make: Callable[[], Any]
    errors: tuple[type[Exception], ...]


def gzip_decompressor() -> Decompressor:
    """Return what unpacks gzip: any library gives the same bytes, so this is the quickest there."""
    module = deflate().module
    return Decompressor(lambda: _Gzip(module.decompressobj(_GZIP_WINDOW)), (module.error,))


def zstd_decompressor() -> Decompressor:
    """Return what unpacks zstd.

    Raises:
        UnsupportedError: no library for zstd is there.
    """
    try:
        import zstandard
    except ImportError:
        return _standard_zstd()
    return Decompressor(
        lambda: _Zstd(zstandard.ZstdDecompressor().decompressobj()), (zstandard.ZstdError,)
    )


def _standard_zstd() -> Decompressor:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: Any = import_module(name)
        except ImportError:
            continue
        return Decompressor(module.ZstdDecompressor, (module.ZstdError,))
    raise UnsupportedError(
        "unpacking zstd needs the package zstandard, or Python 3.14",
        hint="pip install zstandard, or pack it with gzip",
    )


class _Gzip:
    """zlib's decompressor in the shape of the others."""

    def __init__(self, member: Any) -> None:
        self._member = member
        self._left = b""

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    @property
    def needs_input(self) -> bool:
        return not self._left

    @property
    def unused_data(self) -> bytes:
        unused: bytes = self._member.unused_data
        return unused

    def decompress(self, data: memoryview, size: int) -> bytes:
        part: bytes = self._member.decompress(data or self._left, size)
        self._left = self._member.unconsumed_tail
        return part


class _Zstd:
    """zstandard's decompressor, which knows no bound, fed so little at a time that there is one."""

    def __init__(self, member: Any) -> None:
        self._member = member
        self._left = memoryview(b"")
        self._ready = memoryview(b"")

    @property
    def eof(self) -> bool:
        return not self._ready and bool(self._member.eof)

    @property
    def needs_input(self) -> bool:
        return not self._ready and not self._left

    @property
    def unused_data(self) -> bytes:
        unused: bytes = self._member.unused_data
        return unused + bytes(self._left)

    def decompress(self, data: memoryview, size: int) -> bytes:
        if data:
            self._left = data
        if not self._ready:
            self._ready = memoryview(self._unpack(size))
        part, self._ready = self._ready[:size], self._ready[size:]
        return bytes(part)

    def _unpack(self, size: int) -> bytes:
        """Unpack until there is as much as is wanted, or 16 MiB more at the very most."""
        parts: list[bytes] = []
        start, length = 0, 0
        while start < len(self._left) and length < size and not self._member.eof:
            parts.append(self._member.decompress(self._left[start : start + _ZSTD_SLICE]))
            length += len(parts[-1])
            start += _ZSTD_SLICE
        self._left = self._left[start:]
        return b"".join(parts)
