"""A source and sink in memory, for generated content such as indexes and for tests."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

from ghcrctl.content.completeness import is_complete
from ghcrctl.content.ports import FallbackSource
from ghcrctl.content.provenance import provenance_of
from ghcrctl.errors import BlobUnknownError, ManifestUnknownError, NotFoundError
from ghcrctl.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.digest import Digest


class MemoryPlace:
    """A source and sink that keeps content and tags in dictionaries."""

    def __init__(self, label: str = "memory") -> None:
        self.label = label
        self._blobs: dict[Digest, tuple[Descriptor, bytes]] = {}
        self._names: dict[str, Descriptor] = {}
        self._lock = threading.Lock()

    def add(self, content: bytes, media_type: str) -> Descriptor:
        """Store content and return its descriptor."""
        descriptor = Descriptor.of(content, media_type)
        self.put(descriptor, content)
        return descriptor

    def put(self, descriptor: Descriptor, content: bytes) -> None:
        """Store content that is already verified."""
        self._blobs[descriptor.digest] = (descriptor, content)

    def resolve(self, name: str) -> Descriptor:
        """Return the descriptor of a tag or digest."""
        if name in self._names:
            return self._names[name]
        for digest, (descriptor, _) in self._blobs.items():
            if str(digest) == name and descriptor.is_manifest:
                return descriptor
        raise ManifestUnknownError(f"{self.label} has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset."""
        try:
            content = self._blobs[descriptor.digest][1]
        except KeyError:
            raise BlobUnknownError(f"{self.label} has no blob {descriptor.digest}") from None
        stream = io.BytesIO(content)
        stream.seek(offset)
        return stream

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Do nothing, since content in memory is never deleted."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether content is stored, for a manifest including its descendants."""
        return is_complete(self, descriptor, lambda piece: piece.digest in self._blobs)

    def write(self, content: Content) -> None:
        """Store content under its digest."""
        with content.open() as stream:
            data = stream.read()
        with self._lock:
            self._blobs[content.descriptor.digest] = (content.descriptor, data)

    def tag(self, content: Content, name: str) -> None:
        """Store a manifest under its digest and a tag."""
        self.write(content)
        with self._lock:
            self._names[name] = content.descriptor

    def tags(self) -> Iterator[str]:
        """Yield every tag."""
        yield from list(self._names)


class Overlay:
    """A source that reads from a front source what it has, and the rest from a back source.

    With the local store in front of a registry, local manifests are not fetched again. With a
    `MemoryPlace` in front, generated content replaces the original.
    """

    def __init__(self, front: Opener, back: Source) -> None:
        self._front = front
        self._back = back
        self._read_in_front: set[Digest] = set()
        self._corrupt: set[Digest] = set()

    @property
    def label(self) -> str:
        """The label of the back source, which the user named."""
        return self._back.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name at the back source, since names are never cached."""
        return self._back.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at the front source if it has the content, else at the back source."""
        if descriptor.digest not in self._corrupt:
            try:
                stream = self._front.open(descriptor, offset)
            except NotFoundError:
                pass
            else:
                self._read_in_front.add(descriptor.digest)
                return stream
        return self._back.open(descriptor, offset)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where content was read last."""
        if descriptor.digest in self._read_in_front and descriptor.digest not in self._corrupt:
            return provenance_of(self._front, descriptor)
        return provenance_of(self._back, descriptor)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Switch to the back source for content that is corrupted in the front source."""
        digest = descriptor.digest
        if digest in self._read_in_front and digest not in self._corrupt:
            front = self._front
            if not (isinstance(front, FallbackSource) and front.mark_corrupt(descriptor)):
                self._corrupt.add(digest)
            return True
        return isinstance(self._back, FallbackSource) and self._back.mark_corrupt(descriptor)


if TYPE_CHECKING:
    from typing import Protocol

    class Opener(Protocol):
        """The front source of an overlay."""

        @property
        def label(self) -> str:
            """The name of this source in messages."""
            ...

        def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
            """Open content for reading, starting at a byte offset."""
            ...
