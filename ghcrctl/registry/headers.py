"""Parses response headers, including malformed ones that registries send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.endpoint import host_shown

if TYPE_CHECKING:
    import requests

_LINK = re.compile(r'(?:<([^<>]*)>|([^\s<>;,"]+))\s*((?:;[^,<]*)?)')
_NEXT = re.compile(r'rel="?next"?\s*(?:;|\Z)', re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)\Z")
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


def stated_digest(response: requests.Response) -> str:
    """Return the value of ``Docker-Content-Digest`` in lower case, or an empty string.

    A proxy may repeat the header, which HTTP joins with commas (RFC 9110, section 5.3).

    Raises:
        InvalidResponseError: the header states different digests.
    """
    text = response.headers.get("Docker-Content-Digest", "")
    stated = {part.strip(' "').lower() for part in text.split(",")} - {""}
    if len(stated) > 1:
        raise InvalidResponseError(
            f"{host_shown(response.url)} returned several digests for one manifest"
        )
    return next(iter(stated), "")


def next_link(response: requests.Response) -> str | None:
    """Return the URL of a list's next page from ``Link``; some registries omit the brackets.

    Spec: RFC 8288, section 3; OCI distribution spec 1.1, "Listing Tags".
    """
    for bracketed, bare, parameters in _LINK.findall(response.headers.get("Link", "")):
        if _NEXT.search(parameters) or (bare and not parameters):
            return str(bracketed or bare)
    return None


def content_range(response: requests.Response) -> tuple[int, int, int | None] | None:
    """Parse ``Content-Range``: the first byte, the last byte and the total size if stated.

    Spec: RFC 9110, section 14.4.
    """
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if not match:
        return None
    return int(match[1]), int(match[2]), int(match[3]) if match[3] else None


def is_packed(response: requests.Response, size: int | None = None) -> bool:
    """Check whether a body was compressed in transit, although the request did not allow it.

    Storage hosts also set ``Content-Encoding`` on layers that are stored compressed; for those the
    length equals the blob's size.

    Args:
        response: the response.
        size: the blob's size in bytes, if known.
    """
    if response.headers.get("Content-Encoding", "").strip().lower() not in _PACKED:
        return False
    span = content_range(response)
    whole = str(span[2]) if span else response.headers.get("Content-Length", "")
    return size is None or whole != str(size)
