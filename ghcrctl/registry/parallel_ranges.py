"""Downloads a large blob over multiple connections at once.

Storage hosts limit the speed of a connection, not of a client. The first segment is timed: if one
connection is fast enough, it also downloads the rest. Otherwise the reader gets the current segment
directly from its connection, while threads read the next segments into memory. The limit on
segments in memory is shared by all blobs of a registry, so memory use does not grow with images.
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

# The size of one range (bytes). At 20 ms latency and 40 MB/s, a sixth of its time is waiting.
SEGMENT = 4 * 1024 * 1024
# Smaller blobs use one connection: setting up more would cost more than it saves.
PARALLEL_FROM = 4 * SEGMENT
# From this speed (bytes per second) one connection is enough, since hashing and writing take as
# long.
_FAST = 100_000_000
_BLOCK = 256 * 1024


def open_blob(client: RegistryClient, repository: str, blob: Descriptor, offset: int) -> Stream:
    """Open a blob at an offset; a large one is read over multiple connections."""
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
                    raise client.http.refusal_error(
                        response, Scope.pull(repository), "pull from", str(blob.digest)
                    )
            # The redirect target has expired, so the registry has to issue a new one.
        response = client.request_blob(repository, blob.digest, span, blob.size)
        address = "" if client.http.is_own(response.url) else response.url
        return response

    return RangedStream(request, client.ahead, offset=offset, size=blob.size)


class RangedStream:
    """A stream of a blob from an offset to its end.

    Args:
        request: requests a range; the response's status is 200 or 206.
        ahead: reads segments ahead.
        offset: the first byte.
        size: the size of the whole blob (bytes).
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
        """Return up to ``size`` bytes; empty at the end.

        Raises:
            ConnectionLostError: the server sent less than announced; retryable.
        """
        while True:
            start = time.monotonic()
            chunk = self._current.read(size)
            self._waited += time.monotonic() - start
            self._position += len(chunk)
            if chunk or self._is_last or self._position >= self._size:
                return chunk
            self._current.close()
            self._current = self._open_next()

    def close(self) -> None:
        """Close the connection, and release the segments that were read ahead."""
        try:
            self._current.close()
        finally:
            while self._pending:
                self._ahead.release(self._pending.popitem()[1])

    def _open_next(self) -> Stream:
        """Open the next segment from memory, or else from the server."""
        start = self._position
        if start < self._end:
            raise ConnectionLostError("the server sent less than requested", retryable=True)
        if self._is_fast():
            self._is_last = True
            return self._open(Span(start))
        self._end = min(start + SEGMENT, self._size)
        future = self._pending.pop(start, None)
        held = self._held(future) if future else None
        stream = io.BytesIO(held) if held is not None else self._open(Span(start, self._end))
        if not self._is_last and start > self._began:
            self._read_ahead()
        return stream

    def _is_fast(self) -> bool:
        """Check whether the first segment was so fast that more connections would not help."""
        received = self._position - self._began
        return received == SEGMENT and received > _FAST * self._waited

    def _held(self, future: Future[bytearray | None]) -> bytearray | None:
        """Return a segment that was read ahead; ``None`` if it must be requested again."""
        try:
            return wait_for_result(future)
        except GhcrctlError as error:
            if not error.retryable:
                # The request was already retried as often as allowed.
                raise
            return None
        finally:
            self._ahead.release(future)

    def _open(self, span: Span) -> Stream:
        response = self._request(span)
        if span.end is not None and not self._fits(response, span):
            # The server does not support ranges, or the content has changed: read the rest with one
            # request.
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
        """Check whether a response is the requested range of the same content as before."""
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
        """Read a range into memory; return ``None`` if the response does not match it."""
        with self._request(span) as response:
            if not self._fits(response, span):
                return None
            stream = at_offset(response, span.first)
            # Read in small blocks into one buffer; a single read would need twice the memory.
            data = bytearray((span.end or 0) - span.first)
            filled = 0
            while chunk := stream.read(min(_BLOCK, len(data) - filled)):
                data[filled : filled + len(chunk)] = chunk
                filled += len(chunk)
            return data if filled == len(data) else None
