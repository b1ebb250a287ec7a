"""What may be removed: everything that no record and no running process needs.

What belongs here: reachability. What does not: the removal itself (``store``), which happens under
the lock.
"""

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
    """Return the digests of roots and of all below them, parents first.

    Args:
        blobs: where manifests are read.
        roots: where to begin.
        strict: fail at a manifest that cannot be read, and not take it as having no children.
    """
    return tuple(ManifestGraph(partial(read_metadata, blobs)).reached(roots, strict=strict))


def live_digests(graph: ManifestGraph, records: Iterable[Record], leases: Path) -> set[Digest]:
    """Return what must stay: all that records reach and all that running processes hold.

    Raises:
        GhcrctlError: a record's manifest cannot be read, so that it is not known what it needs.
    """
    roots = (record.descriptor for record in records)
    return {*graph.reached(roots, strict=True), *leased(leases)}
