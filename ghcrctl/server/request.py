"""A request as the application sees it.

What belongs here: the WSGI environment read as typed values, and the body as a stream of blocks.
What does not: what a request means (``app`` and the endpoints).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ghcrctl.errors import ConnectionLostError
from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_SIZE = 1024 * 1024
# cheroot clears a buffer of the asked size for every packet, so asking for more is slower.
_READ_SIZE = 64 * 1024
# More than the tags that one push can set.
_MAX_FIELDS = 1000


class Request:
    """One HTTP request.

    Args:
        environ: the WSGI environment (PEP 3333).
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ.get("PATH_INFO", "/"))
        self.queries = _queries(str(environ.get("QUERY_STRING", "")))
        self.query = {key: values[-1] for key, values in self.queries.items()}
        self._environ = environ
        self._input = environ["wsgi.input"]
        self._ends_itself = bool(environ.get("wsgi.input_terminated"))
        length = whole_number(str(environ.get("CONTENT_LENGTH") or ""))
        self.length = None if self._ends_itself else length
        self._left = self.length or 0

    def header(self, name: str) -> str:
        """Return a header's value, empty where it is not there."""
        key = name.upper().replace("-", "_")
        prefix = "" if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_"
        return str(self._environ.get(prefix + key, "")).strip()

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def blocks(self) -> Iterator[bytes]:
        """Yield the body in blocks of at most 64 KiB, until its announced end.

        Raises:
            ConnectionLostError: the client went away before the end.
        """
        while self._ends_itself or self._left:
            block = self._read(_READ_SIZE if self._ends_itself else min(_READ_SIZE, self._left))
            if not block:
                if self._left:
                    raise ConnectionLostError("the request body ended early")
                return
            if not self._ends_itself:
                self._left -= len(block)
            yield block

    def read(self, limit: int) -> bytes | None:
        """Return the whole body, or ``None`` where it has more than ``limit`` bytes."""
        if self.length is not None and self.length > limit:
            return None
        body = bytearray()
        for block in self.blocks():
            body += block
            if len(body) > limit:
                return None
        return bytes(body)

    def drain(self, limit: int) -> bool:
        """Read what is left of the body; return whether it ended within so many bytes.

        Otherwise the next request on the connection would start in the middle of this one.
        """
        if self._left > limit:
            return False
        try:
            for block in self.blocks():
                limit -= len(block)
                if limit < 0:
                    return False
        except ConnectionLostError:
            return False
        return True

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._input.read(size))
        except (OSError, ValueError) as error:
            # A broken chunk is a ValueError in cheroot; nothing after it can be read.
            self._ends_itself, self._left = False, 0
            raise ConnectionLostError("the request body broke off") from error


def _queries(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
