"""Protection against cross-site requests and DNS rebinding.

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
    """A check that rejects requests sent by web pages.

    Attack: a web page resolves its own host name to 127.0.0.1 (DNS rebinding) or sends requests to
    127.0.0.1 directly, to read or change the images on this machine. Decision: on a loopback
    address the Host header must be a loopback host, and on every address the Origin must be this
    server. Exception: host names that the user allows, for a reverse proxy.

    Args:
        address: host that the server listens on.
        allowed: additional host names.
    """

    def __init__(self, address: str, allowed: Iterable[str] = ()) -> None:
        self._is_local = is_loopback(address)
        self._allowed = {_normal(name) for name in (address, *allowed)}

    def check(self, request: Request) -> None:
        """Check the Host and Origin of a request.

        Raises:
            RegistryError: one of them is not allowed (status 403).
        """
        host = request.headers.get("Host", "")
        name = _normal(host)
        if host and self._is_local and not (is_loopback(name) or name in self._allowed):
            raise RegistryError(
                403,
                "DENIED",
                f"host `{host}` is not allowed; to allow it: ghcrctl serve --allow-host {name}",
            )
        if self._is_foreign(request, host):
            raise RegistryError(
                403, "DENIED", "requests from web pages of another origin are not allowed"
            )

    def _is_foreign(self, request: Request, host: str) -> bool:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin.lower()).netloc != host.lower():
            return True
        return request.headers.get("Sec-Fetch-Site", "").lower() in _FOREIGN_SITES


def is_loopback(name: str) -> bool:
    """Return whether a host name or address is a loopback one."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _normal(host: str) -> str:
    """Return the name in a ``Host`` header without port, brackets and trailing dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name = host if host.count(":") > 1 else host.partition(":")[0]
    return name.rstrip(".")
