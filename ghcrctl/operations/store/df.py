"""Report the disk usage of the local store, and how much of it can be reclaimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.operations.images.list import list_images
from ghcrctl.store.attached_referrers import AttachedReferrers
from ghcrctl.store.usage import measure

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.image_row import ImageRow
    from ghcrctl.store.usage import ImageUsage, Usage


@dataclass(frozen=True, slots=True)
class UsageLine:
    """The disk usage of one kind of content.

    Args:
        kind: the kind, for display.
        total: number of items.
        active: number of items with a tag.
        size: total size (bytes).
        reclaimable: size that can be reclaimed (bytes).
        shared: size of content that multiple images need (bytes).
    """

    kind: str
    total: int
    active: int
    size: int
    reclaimable: int
    shared: int = 0


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The disk usage of the store.

    Args:
        lines: one line each for images, unfinished transfers and unreferenced content.
        images: one row for each name, in the order of `images`.
        usage: the measurements.
    """

    lines: tuple[UsageLine, ...]
    images: tuple[ImageRow, ...]
    usage: Usage

    def of(self, row: ImageRow) -> ImageUsage:
        """Return the shared and unique size of an image."""
        return self.usage.images[row.record.descriptor.digest]


def disk_usage(session: Session) -> DiskUsage:
    """Measure the store. Images with a tag are active; shared content counts once."""
    rows, usage = list_images(session), measure(session.store)
    tagged = {row.record.descriptor.digest for row in rows if row.tag}
    needed = tagged | _kept_by_tags(session)
    unused = sum(own.unique for digest, own in usage.images.items() if digest not in needed)
    shared = usage.content - sum(own.unique for own in usage.images.values())
    loose, partial = sum(usage.loose.values()), sum(usage.partial)
    lines = (
        UsageLine("Images", len(usage.images), len(tagged), usage.content, unused, shared),
        UsageLine("Unfinished transfers", len(usage.partial), 0, partial, partial),
        UsageLine("Content of no image", len(usage.loose), 0, loose, loose),
    )
    return DiskUsage(lines, tuple(rows), usage)


def _kept_by_tags(session: Session) -> set[Digest]:
    """Return the referrers that are kept as long as an image with a tag."""
    store = session.store
    records = store.records()
    kept = AttachedReferrers(store.graph, records).kept_by(r for r in records if r.tag)
    return {record.descriptor.digest for record in kept}
