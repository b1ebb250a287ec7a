"""Build trees of the store's images, with platforms, attestations and shared content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.images.platforms import Part, read_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.image_row import ImageRow


@dataclass(frozen=True, slots=True)
class ImageTree:
    """One image with all its names.

    Args:
        names: the names, in the order of the list.
        image_id: its ID.
        root: its manifest or index, with all parts.
        unique: stored size of content that no other image needs (bytes).
    """

    names: tuple[str, ...]
    image_id: Digest
    root: Part
    unique: int


def image_trees(session: Session, rows: Iterable[ImageRow]) -> list[ImageTree]:
    """Build the trees of listed images.

    Args:
        session: the run.
        rows: the listed images; sharing is determined across the whole store.
    """
    everything = {r.descriptor.digest: r.descriptor for r in session.store.records()}
    parts = {digest: _part(session, root) for digest, root in everything.items()}
    uses = Counter(digest for part in parts.values() for digest in part.content)
    grouped: dict[Digest, list[ImageRow]] = {}
    for row in rows:
        grouped.setdefault(row.record.descriptor.digest, []).append(row)
    return [
        ImageTree(
            tuple(row.listed.name or "<none>" for row in listed),
            listed[0].image_id,
            parts[digest],
            sum(size for d, size in parts[digest].content.items() if uses[d] == 1),
        )
        for digest, listed in grouped.items()
        if digest in parts
    ]


def _part(session: Session, root: Descriptor) -> Part:
    try:
        return read_parts(session, session.store.blobs, root)
    except GhcrctlError:
        return Part(root, "damaged", {root.digest: root.size})
