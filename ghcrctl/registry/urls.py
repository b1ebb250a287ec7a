"""Resolves and compares URLs."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.endpoint import DEFAULT_PORTS, bare_host, host_shown


def joined(url: str, location: str) -> str | None:
    """Resolve a ``Location`` or ``Link``; return ``None`` for an invalid URL."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    # Programs disagree on where a host with these characters ends, and the checked host must be
    # the contacted one.
    odd = any(not "!" <= c <= "~" or c in '\\"<>^`{|}' for c in parts.netloc)
    return None if odd else target


def origin(url: str) -> str:
    """Return scheme, host and port, without the scheme's default port.

    Spec: RFC 3986, section 6.2.3; RFC 6454, section 4.

    Raises:
        InvalidResponseError: the URL is invalid; URLs from the user were checked before.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidResponseError(f"invalid URL with the host {host_shown(url)}") from None
    return f"{parts.scheme}://{bare_host(parts.netloc, DEFAULT_PORTS.get(parts.scheme, ''))}"


def same_host(one: str, other: str) -> bool:
    """Check whether two URLs have the same host and port, ignoring default ports."""
    return _bare_host(one) == _bare_host(other)


def _bare_host(url: str) -> str:
    return bare_host(urlsplit(url).netloc, *DEFAULT_PORTS.values())


def shown_origin(url: str) -> str:
    """Return scheme and host of a URL, for messages."""
    return f"{urlsplit(url).scheme}://{host_shown(url)}"


def shown(url: str) -> str:
    """Return a URL without user, password and query, which may contain a signature."""
    return f"{shown_origin(url)}{urlsplit(url).path}"
