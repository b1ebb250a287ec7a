"""Bodies of answers as they come: as a stream, the start of an error's, or not at all.

What belongs here: reading without believing what was announced. What does not: what a body must be
(``answers``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import ConnectionLostError, TimedOutError
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.transport_errors import in_words

if TYPE_CHECKING:
    import requests

# Bytes of an error's body that are read; more than any registry writes.
MAX_ERROR_BODY = 64 * 1024


class BodyStream:
    """A response's body as a stream; its end before the announced end is an error.

    Args:
        response: the response.
        packed: whether the body was compressed on its way, and is read uncompressed.
    """

    def __init__(self, response: requests.Response, *, packed: bool = False) -> None:
        self._response = response
        self._packed = packed
        # What was announced counts compressed bytes; the library sees to them.
        length = "" if packed else response.headers.get("Content-Length", "")
        self._left = whole_number(length)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            ConnectionLostError: the connection broke, or the body is shorter than announced;
                retryable.
            TimedOutError: nothing came for too long; retryable.
        """
        url = self._response.url
        with in_words(url, moving=True):
            chunk: bytes = self._response.raw.read(size, decode_content=self._packed)
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk and size and self._left > 0:
                raise ConnectionLostError(
                    f"{host_shown(url)} closed the connection too early", retryable=True
                )
        return chunk

    def close(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        self._response.close()


def error_text(response: requests.Response) -> str:
    """Return the start of an error's body; it may be asked for again."""
    kept: str | None = getattr(response, "error_text", None)
    if kept is None:
        try:
            with in_words(response.url, moving=True):
                raw: bytes = response.raw.read(MAX_ERROR_BODY, decode_content=True)
        except (ConnectionLostError, TimedOutError):
            raw = b""
        kept = raw.decode(errors="replace")
        setattr(response, "error_text", kept)  # noqa: B010 a note of ours on the library's object
    return kept


def let_go(response: requests.Response) -> None:
    """Close an answer that nobody reads; a short rest is read, so that the connection serves on."""
    error_text(response)
    response.close()
