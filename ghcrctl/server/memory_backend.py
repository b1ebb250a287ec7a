"""A backend in memory, for tests and demonstrations."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.errors import BlobUnknownError, ManifestUnknownError, RepositoryUnknownError
from ghcrctl.oci import manifest as manifests
from ghcrctl.server.backend import as_referrer

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


@dataclass(slots=True)
class _Repository:
    """The blobs and manifests of one repository by digest, and its digests by tag."""

    blobs: dict[Digest, Descriptor] = field(default_factory=dict)
    manifests: dict[Digest, Descriptor] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)


class MemoryBackend:
    """A backend that keeps repositories in a dictionary and each content once."""

    def __init__(self) -> None:
        self._content: dict[Digest, bytes] = {}
        self._repositories: dict[str, _Repository] = {}
        self._lock = threading.RLock()

    def repositories(self) -> list[str]:
        """Return the names of all repositories, sorted."""
        with self._lock:
            return sorted(self._repositories)

    def stat(self, repository: str, digest: Digest) -> Descriptor:
        """Return the descriptor of a blob or manifest."""
        with self._lock:
            place = self._find(repository)
            found = place.blobs.get(digest) or place.manifests.get(digest)
        if found is None:
            raise BlobUnknownError(f"{repository} has no blob {digest}")
        return found

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Return the descriptor of the manifest with a tag or digest."""
        with self._lock:
            place = self._find(repository)
            tagged = place.tags.get(name)
            for digest, descriptor in place.manifests.items():
                if digest == tagged or str(digest) == name:
                    return descriptor
        raise ManifestUnknownError(f"{repository} has no manifest `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset."""
        with self._lock:
            content = self._content.get(descriptor.digest)
        if content is None:
            raise BlobUnknownError(f"blob {descriptor.digest} not found")
        # BytesIO copies the bytes only on write.
        stream = io.BytesIO(content)
        stream.seek(offset)
        return stream

    def write(self, repository: str, content: Content) -> None:
        """Store a blob."""
        data = _read(content)
        with self._lock:
            self._content[content.descriptor.digest] = data
            self._make(repository).blobs[content.descriptor.digest] = content.descriptor

    def mount(self, repository: str, digest: Digest, source: str) -> bool:
        """Mount a blob from another repository; return whether it was found."""
        with self._lock:
            places = self._repositories
            origins = [places[source]] if source in places else [] if source else places.values()
            found = next((p.blobs[digest] for p in origins if digest in p.blobs), None)
            if found is None:
                return False
            self._make(repository).blobs[digest] = found
            return True

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Store a manifest under its digest and optionally under a tag."""
        data = _read(content)
        digest = content.descriptor.digest
        with self._lock:
            place = self._make(repository)
            self._content[digest] = data
            place.manifests[digest] = content.descriptor
            if tag is not None:
                place.tags[tag] = digest

    def tags(self, repository: str) -> list[str]:
        """Return all tags of a repository, sorted."""
        with self._lock:
            return sorted(self._find(repository).tags)

    def untag(self, repository: str, tag: str) -> None:
        """Delete a tag."""
        with self._lock:
            if self._find(repository).tags.pop(tag, None) is None:
                raise ManifestUnknownError(f"{repository} has no tag `{tag}`")

    def delete(self, repository: str, digest: Digest) -> None:
        """Delete a manifest and its tags."""
        with self._lock:
            place = self._find(repository)
            if place.manifests.pop(digest, None) is None:
                raise ManifestUnknownError(f"{repository} has no manifest {digest}")
            place.tags = {tag: target for tag, target in place.tags.items() if target != digest}

    def delete_blob(self, repository: str, digest: Digest) -> None:
        """Delete a blob from a repository."""
        with self._lock:
            if self._find(repository).blobs.pop(digest, None) is None:
                raise BlobUnknownError(f"{repository} has no blob {digest}")

    def referrers(self, repository: str, digest: Digest) -> list[Descriptor]:
        """Return the referrers of a digest, oldest first."""
        with self._lock:
            place = self._repositories.get(repository, _Repository())
            entries = [(found, self._content[found.digest]) for found in place.manifests.values()]
        parsed = [(manifests.parse(raw, found.media_type), found) for found, raw in entries]
        return [
            as_referrer(manifest, found)
            for manifest, found in parsed
            if manifest.subject and manifest.subject.digest == digest
        ]

    def _find(self, repository: str) -> _Repository:
        found = self._repositories.get(repository)
        if found is None:
            raise RepositoryUnknownError(f"repository `{repository}` not found")
        return found

    def _make(self, repository: str) -> _Repository:
        return self._repositories.setdefault(repository, _Repository())


def _read(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()
