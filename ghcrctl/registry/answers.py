"""Reading the bodies of answers: capped, at an offset, as JSON.

What belongs here: what a body must be before anybody looks at it. What does not: whose answer it is
(``client``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.bodies import BodyStream
from ghcrctl.registry.endpoint import host_shown

if TYPE_CHECKING:
    import requests

    from ghcrctl.content.ports import Stream

_MAX_LIST = 16 * 1024 * 1024


_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)\Z")


def content_range(response: requests.Response) -> tuple[int, int, int | None] | None:
    """Read ``Content-Range``: first byte, last byte, and the size of the whole where it is said.

    Spec: RFC 9110, section 14.4.
    """
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if not match:
        return None
    return int(match[1]), int(match[2]), int(match[3]) if match[3] else None


def at_offset(response: requests.Response, offset: int) -> Stream:
    """Return a body that begins at a byte, though the server may have sent all of it.

    Raises:
        InvalidResponseError: the server sent another part than was asked for.
    """
    stream = BodyStream(response)
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
    stream = BodyStream(response)
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
        raise InvalidResponseError(f"{registry} sent a list that is no JSON object")
    return data
