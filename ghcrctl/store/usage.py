"""Measures the disk usage of the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.store.garbage_collection import closure

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.store import Store


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """The usage of an image. ``shared``: bytes also used by other images; ``unique``: the rest."""

    shared: int
    unique: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of the store.

    Args:
        images: the usage of each image, by its root's digest.
        content: the size of all content used by images, each blob counted once (bytes).
        loose: unused blobs with their sizes (bytes).
        partial: the sizes of unfinished files (bytes).
    """

    images: dict[Digest, ImageUsage]
    content: int
    loose: dict[Digest, int]
    partial: tuple[int, ...]


def measure(store: Store) -> Usage:
    """Return the disk usage of a store. Missing content counts as zero bytes."""
    roots = {record.descriptor.digest: record.descriptor for record in store.records()}
    needs = {digest: closure(store.blobs, [root]) for digest, root in roots.items()}
    users = Counter(piece for pieces in needs.values() for piece in pieces)
    sizes = {digest: store.blobs.size(digest) for digest in (*users, *store.blobs.all())}
    images = {}
    for digest, pieces in needs.items():
        unique = sum(sizes[piece] for piece in pieces if users[piece] == 1)
        images[digest] = ImageUsage(sum(sizes[piece] for piece in pieces) - unique, unique)
    return Usage(
        images=images,
        content=sum(sizes[piece] for piece in users),
        loose={digest: size for digest, size in sizes.items() if digest not in users},
        partial=tuple(store.partial_sizes()),
    )
