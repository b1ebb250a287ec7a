"""The blob endpoints: check, read and delete.

Spec: OCI distribution spec 1.1, "Pulling blobs", "Deleting Blobs"; RFC 9110, section 14.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import StoreDamagedError
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.request import BLOCK_SIZE
from ghcrctl.server.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\Z")


class BlobEndpoints:
    """Handlers of the blob endpoints."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, request: Request, repository: str, digest: Digest) -> Response:
        """Send a blob or a range of it."""
        descriptor = self._backend.stat(repository, digest)
        span = _requested_span(request, descriptor)
        first, count = span or (0, descriptor.size)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(count),
            "Accept-Ranges": "bytes",
            "ETag": f'"{descriptor.digest}"',
            "Docker-Content-Digest": str(descriptor.digest),
        }
        if span:
            headers["Content-Range"] = f"bytes {first}-{first + count - 1}/{descriptor.size}"
        status = 206 if span else 200
        if request.method == "HEAD":
            return Response(status=status, headers=headers)
        body = Body(self._backend.open(descriptor, first), count)
        return Response(body, status, headers, direct_passthrough=True)

    def delete(self, request: Request, repository: str, digest: Digest) -> Response:  # noqa: ARG002 one signature
        """Delete a blob."""
        self._backend.delete_blob(repository, digest)
        return Response(status=202)


class Body:
    """A WSGI response body that reads from a stream.

    Args:
        stream: stream positioned at the first byte to send.
        count: number of bytes to send.
    """

    def __init__(self, stream: Stream, count: int) -> None:
        self._stream = stream
        self._left = count

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            block = self._stream.read(min(BLOCK_SIZE, self._left))
            if not block:
                # This closes the connection, so the client notices that the body is incomplete.
                raise StoreDamagedError(f"content ends {self._left} bytes early")
            self._left -= len(block)
            yield block

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def _requested_span(request: Request, descriptor: Descriptor) -> tuple[int, int] | None:
    """Return the offset and length of the requested range, or ``None`` for the whole blob.

    Anything but a single byte range is ignored, as RFC 9110 allows.
    """
    match = _RANGE.match(request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if not match or (condition and condition != f'"{descriptor.digest}"'):
        return None
    size = descriptor.size
    if not match["first"]:
        if not match["last"]:
            return None
        count = min(int(match["last"]), size)
        first = size - count
    else:
        first = int(match["first"])
        # RFC 9110, 14.2 also allows 416 for a range that ends before it starts.
        last = min(int(match["last"] or size), size - 1)
        count = last - first + 1
    if first >= size or count <= 0:
        raise RegistryError(
            416,
            "RANGE_INVALID",
            "the range is outside the blob",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return first, count
