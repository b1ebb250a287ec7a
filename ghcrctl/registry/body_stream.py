"""Reading response bodies: as a stream, as the start of an error's body, or discarded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import ConnectionLostError, TimedOutError
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.transport_errors import translate_errors

if TYPE_CHECKING:
    import requests

# Limit for reading the body of an error, in bytes; registries send far less.
MAX_ERROR_BODY = 64 * 1024


class BodyStream:
    """A response's body as a stream; ending before ``Content-Length`` is an error.

    Args:
        response: the response.
        packed: whether the body was compressed in transit and must be decompressed.
    """

    def __init__(self, response: requests.Response, *, packed: bool = False) -> None:
        self._response = response
        self._packed = packed
        # Content-Length counts compressed bytes, which urllib3 checks.
        length = "" if packed else response.headers.get("Content-Length", "")
        self._left = whole_number(length)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            ConnectionLostError: the connection broke, or the body is shorter than announced;
                retryable.
            TimedOutError: no data arrived within the stall timeout; retryable.
        """
        url = self._response.url
        with translate_errors(url, moving=True):
            chunk: bytes = self._response.raw.read(size, decode_content=self._packed)
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk and size and self._left > 0:
                raise ConnectionLostError(
                    f"{host_shown(url)} closed the connection before the end", retryable=True
                )
        return chunk

    def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read to its end."""
        self._response.close()


def error_text(response: requests.Response) -> str:
    """Return the start of an error's body, decoded; repeated calls return the same text."""
    kept: str | None = getattr(response, "error_text", None)
    if kept is None:
        try:
            with translate_errors(response.url, moving=True):
                raw: bytes = response.raw.read(MAX_ERROR_BODY, decode_content=True)
        except (ConnectionLostError, TimedOutError):
            raw = b""
        kept = raw.decode(errors="replace")
        setattr(response, "error_text", kept)  # noqa: B010 caches the text on the response
    return kept


def discard(response: requests.Response) -> None:
    """Discard a response. A short remainder is drained so the connection can be reused."""
    error_text(response)
    response.close()
