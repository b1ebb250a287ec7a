"""A request to the registry."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from werkzeug import Request as WerkzeugRequest
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_SIZE = 1024 * 1024
# cheroot clears a buffer of the requested size for every packet, so larger reads are slower.
_READ_SIZE = 64 * 1024


class Request(WerkzeugRequest):
    """A werkzeug request whose body is read in blocks."""

    # Uploads are limited only by the disk. A limit of any size makes werkzeug report broken chunks
    # as `ClientDisconnected`.
    max_content_length = sys.maxsize

    def blocks(self) -> Iterator[bytes]:
        """Yield the body in blocks of at most 64 KiB.

        Raises:
            ClientDisconnected: the body ended before its announced length, or a chunk is malformed.
        """
        return iter(partial(self.stream.read, _READ_SIZE), b"")

    def read_body(self, limit: int) -> bytes:
        """Read the whole body.

        Args:
            limit: maximum size (bytes).

        Raises:
            RequestEntityTooLarge: the body is larger.
            ClientDisconnected: the body is incomplete.
        """
        body = bytearray()
        if (self.content_length or 0) <= limit:
            for block in self.blocks():
                body += block
                if len(body) > limit:
                    break
            else:
                return bytes(body)
        raise RequestEntityTooLarge(f"the request body is larger than {limit} bytes")

    def drain(self, limit: int) -> bool:
        """Read the rest of the body so that the connection can be used for the next request.

        Args:
            limit: maximum size of the rest (bytes).

        Returns:
            Whether the body was read to its end.
        """
        if (self.content_length or 0) - self.stream.tell() > limit:
            return False
        try:
            for block in self.blocks():
                limit -= len(block)
                if limit < 0:
                    return False
        except ClientDisconnected:
            return False
        return True
