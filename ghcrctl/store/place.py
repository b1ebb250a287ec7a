"""The store as a source and sink for copies.

A `StorePlace` serves one copy, since it records the digest under which the source's repository
knows the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.completeness import is_complete
from ghcrctl.errors import DigestMismatchError, NoSuchImageError
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.store import Store


class StorePlace:
    """The store as source and sink; names are full references.

    Args:
        store: the store.
        origin: the digest of the written image in its source's repository.
        index: the reference of the index that the image is part of; see `Record`.
        put: names an image; by default `Store.put`, which writes the list each time.
    """

    def __init__(
        self,
        store: Store,
        *,
        origin: Digest | None = None,
        index: str = "",
        put: Callable[[Record], Record | None] | None = None,
    ) -> None:
        self._store = store
        self._put = put or store.put
        self._origin = origin
        self._index = index
        # Whether the last written name was new or pointed to another image.
        self.moved_name = False

    @property
    def label(self) -> str:
        """The store's name for messages."""
        return self._store.blobs.label

    def resolve(self, name: str) -> Descriptor:
        """Return the root of an image by its full reference or digest."""
        for record in self._store.records():
            if name in {record.name, str(record.descriptor.digest)}:
                return record.descriptor
        raise NoSuchImageError(f"no such image: {name}")

    def tags(self) -> Iterator[str]:
        """Yield all names."""
        yield from (record.name for record in self._store.records() if record.name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at an offset.

        Raises:
            BlobUnknownError: the content does not exist.
            DigestMismatchError: the content is damaged and must not be copied.
        """
        blobs = self._store.blobs
        if blobs.path(descriptor.digest).exists() and not blobs.exists(descriptor):
            where = blobs.provenance(descriptor)
            raise DigestMismatchError(
                f"{where.label} is damaged: its bytes do not match {descriptor.digest}",
                hint=where.hint,
            )
        return blobs.open(descriptor, offset)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file of some content, with a hint to repair it."""
        return self._store.blobs.provenance(descriptor)

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Protect content from removal while this process runs."""
        self._store.reserve(descriptor.digest for descriptor in descriptors)

    def exists(self, descriptor: Descriptor) -> bool:
        """Check whether content exists; for a manifest, also everything below it.

        This way, pulling an image again repairs it.
        """
        return is_complete(self._store.blobs, descriptor, self._store.blobs.exists)

    def received(self, descriptor: Descriptor) -> int:
        """Return the number of bytes of content that an interrupted transfer has left."""
        return self._store.blobs.received(descriptor.digest)

    def write(self, content: Content) -> None:
        """Store content."""
        if not self.exists(content.descriptor):
            self._store.blobs.write(content, self._store.lease())

    def tag(self, content: Content, name: str) -> None:
        """Store a manifest and give it a name."""
        self.write(content)
        root = content.descriptor
        facts = compute_facts(self._store.blobs, root, self._store.prefer)
        before = self._put(Record(root, name, facts, self._origin, self._index))
        self.moved_name = before is None or before.descriptor.digest != root.digest
