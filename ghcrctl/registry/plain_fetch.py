"""Downloads from plain URLs, without credentials: foreign layers and archives to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import DeniedError, NetworkError, NotFoundError
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.responses import at_offset
from ghcrctl.registry.transport import Transport

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.registry.address_guard import AddressGuard
    from ghcrctl.registry.transport_options import TransportOptions


def fetch(
    url: str, options: TransportOptions, offset: int = 0, *, guard: AddressGuard | None = None
) -> Stream:
    """Open the content at a URL, starting at an offset.

    The request uses its own transport, so no registry credential is sent.

    Args:
        url: the URL.
        options: transport options.
        offset: the first byte to read.
        guard: checks the URL and its redirects; ``None`` if the user named the URL.

    Raises:
        NotFoundError: the URL does not exist.
        DeniedError: the host requires authentication or denies access.
        NetworkError: the host cannot be reached, or fails.
    """
    # The connection is used for one response only, so it closes with the stream.
    headers = {"Connection": "close"} | ({"Range": f"bytes={offset}-"} if offset else {})
    transport = Transport(options, guard=guard)
    if guard is None:
        transport.guard.trust(url)
    response = transport.request("GET", url, headers=headers)
    if offset and response.status_code in {400, 403, 404, 405, 416, 501}:
        # Some servers refuse ranges; a full request shows whether the content exists.
        response.close()
        response = transport.request("GET", url, headers={"Connection": "close"})
    if response.status_code in {200, 206}:
        return at_offset(response, offset)
    response.close()
    host = host_shown(url)
    if response.status_code in {404, 410}:
        raise NotFoundError(f"{host} has no file at this URL (status {response.status_code})")
    if response.status_code in {401, 403}:
        raise DeniedError(f"{host} denies access to this URL (status {response.status_code})")
    raise NetworkError(f"{host} returned status {response.status_code}")
