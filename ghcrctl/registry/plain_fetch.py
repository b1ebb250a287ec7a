"""Plain web addresses: foreign layers, and archives to import.

What belongs here: fetching without any credential. What does not: registries (``client``).
"""

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
    """Start reading what is at a web address at a byte.

    The request has a transport of its own, so no credential of a registry is sent.

    Args:
        url: the address.
        options: how to talk.
        offset: the first byte to read.
        guard: checks where the address leads; left out for an address that the user named.

    Raises:
        NotFoundError: there is nothing.
        DeniedError: the host does not give it to everybody.
        NetworkError: the host cannot be talked to, or fails.
    """
    # One answer is all that is wanted of this connection, so that it ends with the stream.
    headers = {"Connection": "close"} | ({"Range": f"bytes={offset}-"} if offset else {})
    transport = Transport(options, guard=guard)
    if guard is None:
        transport.guard.trust(url)
    response = transport.request("GET", url, headers=headers)
    if offset and response.status_code in {400, 403, 404, 405, 416, 501}:
        # Some servers refuse partial requests; a request for all of it shows whether it exists.
        response.close()
        response = transport.request("GET", url, headers={"Connection": "close"})
    if response.status_code in {200, 206}:
        return at_offset(response, offset)
    response.close()
    host = host_shown(url)
    if response.status_code in {404, 410}:
        raise NotFoundError(f"{host} has nothing at this address")
    if response.status_code in {401, 403}:
        raise DeniedError(f"{host} does not give this to everybody")
    raise NetworkError(f"{host} answered with status {response.status_code}")
