"""Foreign layers: content that its publisher hosts outside the registry.

Spec: OCI image spec 1.1, descriptor.md, ``urls``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import BlobUnknownError, GhcrctlError
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.plain_fetch import fetch
from ghcrctl.registry.urls import joined

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.registry.address_guard import AddressGuard
    from ghcrctl.registry.transport_options import TransportOptions


def open_foreign(
    descriptor: Descriptor,
    offset: int,
    options: TransportOptions,
    *,
    guard: AddressGuard,
    absent_from: str,
) -> Stream:
    """Open a layer at the first of its URLs that has it, without credentials.

    The caller verifies size and digest.

    Args:
        descriptor: the layer's descriptor.
        offset: the first byte to read.
        options: transport options.
        guard: checks the URLs, which come from an untrusted manifest.
        absent_from: the registry that lacks the layer, for the error message.

    Raises:
        BlobUnknownError: none of the URLs has it.
    """
    failure: GhcrctlError | None = None
    tried: list[str] = []
    for url in descriptor.urls:
        if joined("https://none.invalid/", url) != url:
            continue
        tried.append(host_shown(url))
        try:
            return fetch(url, options, offset, guard=guard)
        except GhcrctlError as error:
            failure = error
    hosts = ", ".join(dict.fromkeys(tried)) or "any allowed address"
    why = f": {failure.message}" if failure else ""
    raise BlobUnknownError(
        f"the foreign layer {descriptor.digest} is neither in {absent_from} nor at {hosts}{why}",
        hint="pull the image without it: --foreign-layers=skip",
        retryable=failure is not None and failure.retryable,
    ) from failure
