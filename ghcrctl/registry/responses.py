"""Reads response bodies: with a size limit, from an offset, as JSON."""

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
    """Return the body from an offset on, even if the server sent the whole content.

    Args:
        response: the response.
        offset: the first byte.
        size: the content's size in bytes, if known.

    Raises:
        InvalidResponseError: the server sent a different range than requested.
    """
    stream = BodyStream(response, packed=is_packed(response, size))
    if response.status_code == 206:
        given = content_range(response)
        if given is None or given[0] != offset:
            raise InvalidResponseError(
                f"{host_shown(response.url)} returned a different range than requested"
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
        InvalidResponseError: the body is larger, regardless of ``Content-Length``.
    """
    stream = BodyStream(response, packed=is_packed(response))
    buffer = bytearray()
    while chunk := stream.read(limit + 1 - len(buffer)):
        buffer += chunk
        if len(buffer) > limit:
            raise InvalidResponseError(
                f"{host_shown(response.url)} returned a {what} of more than {limit} bytes"
            )
    return bytes(buffer)


def read_json(response: requests.Response, registry: str) -> dict[str, Any]:
    """Return a body that must be a JSON object.

    Raises:
        InvalidResponseError: the body is something else.
    """
    raw = read_all(response, _MAX_LIST, "list")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        text = raw[:MAX_ERROR_BODY].decode(errors="replace")
        page = quote_body(text, host_shown(response.url)) if is_html(text) else ""
        raise InvalidResponseError(
            f"{registry} returned an invalid list: expected a JSON object{page}"
        )
    return data
