"""One large blob through several connections at once.

What belongs here: reading ahead by ranges, and falling back to one connection where a server does
not give them. What does not: requests (``client``), verification (``content.streams``).

A host behind a registry limits what one connection gets, not what a client gets. So the first
segment is timed; where one connection is quick enough it gives the rest too. Where it is not, the
reader takes the segment at hand straight from its connection, and threads read the next ones into
memory. What they may hold is bounded for all blobs of a registry together: memory does not grow
with images.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from ghcrctl.content.thread_waits import wait_for_result
from ghcrctl.errors import ConnectionLostError, GhcrctlError
from ghcrctl.registry.auth import Scope
from ghcrctl.registry.headers import content_range, is_packed
from ghcrctl.registry.read_ahead import Span
from ghcrctl.registry.responses import at_offset
from ghcrctl.registry.temporary_refusals import is_temporary

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import requests

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.registry.client import RegistryClient
    from ghcrctl.registry.read_ahead import ReadAhead

# Bytes of one request; at 20 ms and 40 MB/s a sixth of its time is waiting.
SEGMENT = 4 * 1024 * 1024
# Smaller blobs are read in one go: setting more connections up would cost more than it gives.
PARALLEL_FROM = 4 * SEGMENT
# Bytes a second from which one connection is enough: hashing and writing take as long.
_QUICK = 100_000_000
_BLOCK = 256 * 1024


def open_blob(client: RegistryClient, repository: str, blob: Descriptor, offset: int) -> Stream:
    """Start reading a blob at a byte: a large one through several connections."""
    if client.ahead is None or blob.size - offset < PARALLEL_FROM:
        return client.get_blob(repository, blob.digest, offset, blob.size)
    address = ""

    def request(span: Span) -> requests.Response:
        nonlocal address
        if address:
            response = client.transport.request("GET", address, headers=span.header)
            if response.status_code == 206 and not is_packed(response, blob.size):
                return response
            with response:
                if is_temporary(response):
                    raise client.asker.refused(
                        response, Scope.pull(repository), "pull from", str(blob.digest)
                    )
            # The address that the registry redirected to has expired; a new one is requested.
        response = client.request_blob(repository, blob.digest, span, blob.size)
        address = "" if client.asker.is_own(response.url) else response.url
        return response

    return RangedStream(request, client.ahead, offset=offset, size=blob.size)


class RangedStream:
    """A blob from one byte to its end.

    Args:
        request: asks for a span; its answer's status is 200 or 206.
        ahead: reads segments in advance.
        offset: the first byte.
        size: bytes of the whole blob.
    """

    def __init__(
        self,
        request: Callable[[Span], requests.Response],
        ahead: ReadAhead,
        *,
        offset: int,
        size: int,
    ) -> None:
        self._request = request
        self._ahead = ahead
        self._size = size
        self._position = offset
        self._end = offset
        self._etag: str | None = None
        self._is_last = False
        self._waited = 0.0
        self._began = offset
        self._pending: dict[int, Future[bytearray | None]] = {}
        self._current: Stream = self._open_next()

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end.

        Raises:
            ConnectionLostError: the server gave less than it announced; retryable.
        """
        while True:
            asked = time.monotonic()
            chunk = self._current.read(size)
            self._waited += time.monotonic() - asked
            self._position += len(chunk)
            if chunk or self._is_last or self._position >= self._size:
                return chunk
            self._current.close()
            self._current = self._open_next()

    def close(self) -> None:
        """Give back the connection, and what was read ahead."""
        try:
            self._current.close()
        finally:
            while self._pending:
                self._ahead.release(self._pending.popitem()[1])

    def _open_next(self) -> Stream:
        """Open the next segment: out of memory, or else from the server."""
        start = self._position
        if start < self._end:
            raise ConnectionLostError("a part is shorter than asked for", retryable=True)
        if self._is_quick():
            self._is_last = True
            return self._open(Span(start))
        self._end = min(start + SEGMENT, self._size)
        future = self._pending.pop(start, None)
        held = self._held(future) if future else None
        stream = io.BytesIO(held) if held is not None else self._open(Span(start, self._end))
        if not self._is_last and start > self._began:
            self._read_ahead()
        return stream

    def _is_quick(self) -> bool:
        """Tell whether the first segment came so quickly that more connections are of no use."""
        got = self._position - self._began
        return got == SEGMENT and got > _QUICK * self._waited

    def _held(self, future: Future[bytearray | None]) -> bytearray | None:
        """Return what was read ahead; ``None`` if it must be requested again."""
        try:
            return wait_for_result(future)
        except GhcrctlError as error:
            if not error.retryable:
                # It was requested as often as allowed.
                raise
            return None
        finally:
            self._ahead.release(future)

    def _open(self, span: Span) -> Stream:
        response = self._request(span)
        if span.end is not None and not self._fits(response, span):
            # The server gives no ranges, or not of this content: all the rest in one go.
            self._is_last = True
            if response.status_code != 200:
                response.close()
                response = self._request(Span(span.first))
        try:
            return at_offset(response, span.first, self._size)
        except BaseException:
            response.close()
            raise

    def _fits(self, response: requests.Response, span: Span) -> bool:
        """Tell whether an answer is the span that was asked for, of what was read before."""
        given = content_range(response)
        if response.status_code != 206 or given is None:
            return False
        first, last, total = given
        if (first, last + 1) != (span.first, span.end) or total not in {None, self._size}:
            return False
        etag = response.headers.get("ETag", "")
        if self._etag is None:
            self._etag = etag
        return etag == self._etag

    def _read_ahead(self) -> None:
        start = self._end
        while start < self._size:
            if start not in self._pending:
                span = Span(start, min(start + SEGMENT, self._size))
                future = self._ahead.submit(lambda span=span: self._read_span(span))  # type: ignore[misc]
                if future is None:
                    return
                self._pending[start] = future
            start += SEGMENT

    def _read_span(self, span: Span) -> bytearray | None:
        """Read a span into memory; ``None`` where it is not what was asked for."""
        with self._request(span) as response:
            if not self._fits(response, span):
                return None
            stream = at_offset(response, span.first)
            # In small pieces to where they belong: read as a whole, it would be there twice.
            data = bytearray((span.end or 0) - span.first)
            filled = 0
            while chunk := stream.read(min(_BLOCK, len(data) - filled)):
                data[filled : filled + len(chunk)] = chunk
                filled += len(chunk)
            return data if filled == len(data) else None
