"""Protection against requests that a web page makes a browser send.

Spec: RFC 9110, section 7.2; Fetch standard, "Origin header" and "Sec-Fetch-Site header".
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.server.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.server.request import Request

_FOREIGN_SITES = {"cross-site", "same-site"}


class HostGuard:
    """Refuses requests that web pages cause.

    Attack: a page that a user visits resolves its own name to 127.0.0.1 (DNS rebinding), or sends
    requests there directly, and reads or changes the images of this machine. Decision: on a
    loopback address a request must name a loopback host, and a page of another origin is refused
    everywhere. Exception: names that the user allows, for a proxy in front.

    Args:
        address: the host that the server listens on.
        allowed: further names that requests may be for.
    """

    def __init__(self, address: str, allowed: Iterable[str] = ()) -> None:
        self._is_local = is_loopback(address)
        self._allowed = {_normal(name) for name in (address, *allowed)}

    def check(self, request: Request) -> None:
        """Refuse a request that is for another host or from a page of another origin.

        Raises:
            RegistryError: with 403.
        """
        host = request.headers.get("Host", "")
        name = _normal(host)
        if host and self._is_local and not (is_loopback(name) or name in self._allowed):
            raise RegistryError(
                403,
                "DENIED",
                f"`{host}` is not a name of this server; --allow-host {name} allows it",
            )
        if self._is_foreign(request, host):
            raise RegistryError(
                403, "DENIED", "web pages of other origins cannot use this registry"
            )

    def _is_foreign(self, request: Request, host: str) -> bool:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin.lower()).netloc != host.lower():
            return True
        return request.headers.get("Sec-Fetch-Site", "").lower() in _FOREIGN_SITES


def is_loopback(name: str) -> bool:
    """Return whether a host name or an address is this machine's loopback."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _normal(host: str) -> str:
    """Return the name in a ``Host`` header: without port, brackets and final dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name = host if host.count(":") > 1 else host.partition(":")[0]
    return name.rstrip(".")
