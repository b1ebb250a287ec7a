"""Reading the bodies of answers: capped, at an offset, as JSON.

What belongs here: what a body must be before anybody looks at it. What does not: whose answer it is
(``client``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, BodyStream
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.headers import content_range, is_packed

if TYPE_CHECKING:
    import requests

    from ghcrctl.content.ports import Stream

_MAX_LIST = 16 * 1024 * 1024


def at_offset(response: requests.Response, offset: int, size: int | None = None) -> Stream:
    """Return a body that begins at a byte, though the server may have sent all of it.

    Args:
        response: the response.
        offset: the first byte.
        size: bytes that the whole has, where that is known.

    Raises:
        InvalidResponseError: the server sent another part than was asked for.
    """
    stream = BodyStream(response, packed=is_packed(response, size))
    if response.status_code == 206:
        given = content_range(response)
        if given is None or given[0] != offset:
            raise InvalidResponseError(
                f"{host_shown(response.url)} sent another part of the content than asked for"
            )
        return stream
    left = offset
    while left:
        chunk = stream.read(min(left, 1024 * 1024))
        if not chunk:
            break
        left -= len(chunk)
    return stream


def read_all(response: requests.Response, limit: int, what: str) -> bytes:
    """Return a whole body of at most ``limit`` bytes.

    Raises:
        InvalidResponseError: it is larger, whatever was announced.
    """
    stream = BodyStream(response, packed=is_packed(response))
    buffer = bytearray()
    while chunk := stream.read(limit + 1 - len(buffer)):
        buffer += chunk
        if len(buffer) > limit:
            raise InvalidResponseError(
                f"{host_shown(response.url)} sent a {what} of more than {limit} bytes"
            )
    return bytes(buffer)


def read_json(response: requests.Response, registry: str) -> dict[str, Any]:
    """Return a body that must be a JSON object.

    Raises:
        InvalidResponseError: it is none.
    """
    raw = read_all(response, _MAX_LIST, "list")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        text = raw[:MAX_ERROR_BODY].decode(errors="replace")
        page = quote_body(text, host_shown(response.url)) if is_html(text) else ""
        raise InvalidResponseError(f"{registry} sent an invalid list: expected a JSON object{page}")
    return data
