"""Determines which blobs are still needed by records or running processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.store.graph import ManifestGraph
from ghcrctl.store.leases import leased

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.blobs import Blobs
    from ghcrctl.store.records import Record


def closure(
    blobs: Blobs, roots: Iterable[Descriptor], *, strict: bool = False
) -> tuple[Digest, ...]:
    """Return the digests of roots and everything below them, parents first.

    Args:
        blobs: the store's blobs.
        roots: the descriptors to start from.
        strict: fail if a manifest is unreadable, instead of treating it as having no children.
    """
    return tuple(ManifestGraph(partial(read_metadata, blobs)).reached(roots, strict=strict))


def live_digests(graph: ManifestGraph, records: Iterable[Record], leases: Path) -> set[Digest]:
    """Return all digests used by records or leased by running processes.

    Raises:
        GhcrctlError: a record's manifest is unreadable, so its content is unknown.
    """
    roots = (record.descriptor for record in records)
    return {*graph.reached(roots, strict=True), *leased(leases)}
