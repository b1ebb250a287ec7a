"""A decoder for chunked request bodies with bounded memory use.

cheroot's own decoder holds a whole chunk in memory, and the client chooses the chunk size.

Spec: RFC 9112, section 7.1.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
_MAX_LINE = 8192
_MAX_TRAILERS = 64


class ByteReader(Protocol):
    """A connection to read from."""

    def read(self, size: int, /) -> bytes:
        """Return ``size`` bytes; fewer only at the end of the stream."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Return a line of at most ``size`` bytes."""
        ...


class ChunkedInput:
    """A decoded request body; ``broken`` is set when the encoding is malformed.

    Args:
        raw: the connection, positioned after the headers.
    """

    def __init__(self, raw: ByteReader) -> None:
        self._raw = raw
        self._left = 0
        self._started = False
        self._ended = False
        self.broken = False

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end of the body.

        Raises:
            ValueError: the encoding is malformed, or the connection was closed early.
        """
        if self.broken:
            raise ValueError("malformed chunked body")
        try:
            return self._read(size)
        except (OSError, ValueError):
            self.broken = True
            raise

    def _read(self, size: int) -> bytes:
        if not self._left and not self._ended:
            self._next_chunk()
        if self._ended:
            return b""
        data = self._raw.read(min(size, self._left))
        if not data:
            raise ValueError("connection closed inside a chunk")
        self._left -= len(data)
        return data

    def _next_chunk(self) -> None:
        if self._started and self._line():
            raise ValueError("chunk longer than its size")
        self._started = True
        size = self._line().partition(b";")[0].strip()
        if not _SIZE.match(size):
            raise ValueError("invalid chunk size")
        self._left = int(size, 16)
        if not self._left:
            self._skip_trailers()
            self._ended = True

    def _skip_trailers(self) -> None:
        for _ in range(_MAX_TRAILERS):
            if not self._line():
                return
        raise ValueError("too many trailers")

    def _line(self) -> bytes:
        line = self._raw.readline(_MAX_LINE)
        if not line.endswith(b"\r\n"):
            raise ValueError("line without CRLF")
        return line[:-2]


def with_bounded_chunks(
    app: Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]],
) -> Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]:
    """Wrap a WSGI application so that cheroot gives it chunked bodies as `ChunkedInput`.

    After a malformed body the start of the next request is unknown, so the connection is closed.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        # cheroot always sets this key, and werkzeug only checks that it exists.
        if not environ.pop("wsgi.input_terminated", False):
            return app(environ, start_response)
        body = ChunkedInput(environ["wsgi.input"].rfile)
        chunked = {**environ, "wsgi.input": body, "wsgi.input_terminated": True}
        response = app(chunked, start_response)
        if body.broken:
            # cheroot closes the connection without logging this error.
            raise ConnectionResetError(errno.ECONNRESET, "malformed chunked body")
        return response

    return wrapped
