"""How much room the store takes, and what takes it.

What belongs here: measuring. What does not: removing (``store``).
"""

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
    """One image. ``shared``: bytes that other images use too; ``unique``: bytes of its own."""

    shared: int
    unique: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The whole store.

    Args:
        images: per root's digest.
        content: bytes of all that images need, each piece once.
        loose: what no image needs, with its bytes.
        partial: bytes of each unfinished file.
    """

    images: dict[Digest, ImageUsage]
    content: int
    loose: dict[Digest, int]
    partial: tuple[int, ...]


def measure(store: Store) -> Usage:
    """Measure a store. Content that is missing counts nothing."""
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
