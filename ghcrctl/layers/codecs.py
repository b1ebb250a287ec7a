"""The compression libraries, imported on first use to keep start-up fast."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

_GZIP_WINDOW_BITS = 31


def deflate() -> Any:
    """Return zlib-ng, or the standard library's zlib on machines without wheels of zlib-ng.

    Both write valid gzip, but not the same bytes. See docs/design/0003-compression.md.
    """
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        import zlib

        return zlib
    return zlib_ng


def zstd() -> Any:
    """Return the standard library's zstd module, or its backport before Python 3.14.

    Raises:
        UnsupportedError: Python was built without zstd, or the backport is not installed.
    """
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd as module
        else:
            from backports import zstd as module
    except ImportError:
        raise UnsupportedError("zstd is not supported by this Python", hint=_zstd_hint()) from None
    return module


def _zstd_hint() -> str:
    if sys.version_info >= (3, 14):
        return "use a Python that was built with zstd, or compress with gzip"
    return "pip install backports.zstd, or compress with gzip"


@dataclass(frozen=True, slots=True)
class Decompressor:
    """A factory of decompressors for one format.

    Attributes:
        make: creates a decompressor for one member, with the interface of ``bz2.BZ2Decompressor``.
        errors: exceptions that the decompressor raises for damaged data.
    """

    make: Callable[[], Any]
    errors: tuple[type[Exception], ...]


def gzip_decompressor() -> Decompressor:
    """Return the decompressor for gzip."""
    module = deflate()
    return Decompressor(lambda: _Gzip(module.decompressobj(_GZIP_WINDOW_BITS)), (module.error,))


def zstd_decompressor() -> Decompressor:
    """Return the decompressor for zstd.

    Raises:
        UnsupportedError: no zstd library is available.
    """
    module = zstd()
    return Decompressor(module.ZstdDecompressor, (module.ZstdError,))


class _Gzip:
    """A zlib decompressor with the interface of ``bz2.BZ2Decompressor``."""

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
