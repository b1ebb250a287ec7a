"""The store as a place to copy from and to.

What belongs here: the ports over the store. One `StorePlace` serves one act: it knows under which
digest the repository that content comes from knows the image.
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
        origin: the digest that the image's repository knows it by, where content is written.
        index: the reference of the index that the content is a part of; see `Record`.
        put: gives an image a name in place of the store itself, which writes its list each time.
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
        # Whether the name that was written last pointed to something else, or did not exist.
        self.moved_name = False

    @property
    def label(self) -> str:
        """How people know this place."""
        return self._store.blobs.label

    def resolve(self, name: str) -> Descriptor:
        """Return what a full reference, or the digest of a named image, stands for."""
        for record in self._store.records():
            if name in {record.name, str(record.descriptor.digest)}:
                return record.descriptor
        raise NoSuchImageError(f"no such image: {name}")

    def tags(self) -> Iterator[str]:
        """Yield every name."""
        yield from (record.name for record in self._store.records() if record.name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte.

        Raises:
            BlobUnknownError: it is not here.
            DigestMismatchError: it is not what it must be, as far as its file tells; so nothing of
                it is sent anywhere.
        """
        blobs = self._store.blobs
        if blobs.path(descriptor.digest).exists() and not blobs.exists(descriptor):
            where = blobs.provenance(descriptor)
            raise DigestMismatchError(
                f"{where.label} is damaged: its bytes are not those of {descriptor.digest}",
                hint=where.hint,
            )
        return blobs.open(descriptor, offset)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that has content."""
        return self._store.blobs.provenance(descriptor)

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Keep content from being removed while this process works."""
        self._store.reserve(descriptor.digest for descriptor in descriptors)

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here; of a manifest, whether all that it needs is here too.

        So a damaged image is mended by pulling it again.
        """
        return is_complete(self._store.blobs, descriptor, self._store.blobs.exists)

    def received(self, descriptor: Descriptor) -> int:
        """Return the bytes that an interrupted transfer left of content."""
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
