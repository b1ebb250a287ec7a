"""The local store as a backend: what `ghcrctl serve` serves.

What belongs here: the store's names as repositories and tags. The image ``ghcr.io/owner/image:1.0``
is served as repository ``ghcr.io/owner/image``; what is pushed as ``owner/image:1.0`` gets that
name in the store. Content is kept apart by digest only, so every repository shows every blob.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    BlobUnknownError,
    GhcrctlError,
    ManifestUnknownError,
    RefusedError,
    RepositoryUnknownError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_METADATA_SIZE, parse
from ghcrctl.server.backend import as_referrer
from ghcrctl.store.facts import compute_facts
from ghcrctl.store.records import Record

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.store.store import Store

_UNKNOWN_TYPE = "application/octet-stream"


class StoreBackend:
    """Serves one store; changes made by other processes are seen at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def repositories(self) -> list[str]:
        """Return the names of all repositories, sorted."""
        return sorted({record.repository for record in self._store.records() if record.name})

    def stat(self, repository: str, digest: Digest) -> Descriptor:
        """Describe content of any kind."""
        try:
            size = self._store.blobs.path(digest).stat().st_size
        except OSError:
            raise BlobUnknownError(f"{repository} has no blob {digest}") from None
        return Descriptor(_UNKNOWN_TYPE, digest, size)

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Return the manifest that a tag or a digest stands for."""
        records = self._records(repository)
        if ":" in name:
            return self._by_digest(repository, Digest.parse(name))
        for record in records:
            if record.name == f"{repository}:{name}":
                return record.descriptor
        if not records:
            raise RepositoryUnknownError(f"there is no repository `{repository}`")
        raise ManifestUnknownError(f"{repository} has no manifest `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte."""
        return self._store.blobs.open(descriptor, offset)

    def write(self, repository: str, content: Content) -> None:  # noqa: ARG002 kept apart by digest only
        """Make a blob visible."""
        self._store.reserve([content.descriptor.digest])
        if not self._store.blobs.exists(content.descriptor):
            self._store.blobs.write(content, self._store.lease())

    def mount(self, repository: str, digest: Digest, source: str) -> bool:  # noqa: ARG002 see write
        """Tell whether a blob is here; every repository shows it then."""
        return self._store.blobs.path(digest).exists()

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Make a manifest visible by its digest and maybe a tag."""
        self.write(repository, content)
        root = content.descriptor
        facts = compute_facts(self._store.blobs, root, self._store.prefer)
        name = f"{repository}:{tag}" if tag else f"{repository}@{root.digest}"
        self._store.put(Record(root, name, facts, root.digest))
        self._forget_children(repository, root)

    def tags(self, repository: str) -> list[str]:
        """Return all tags, sorted."""
        records = self._records(repository)
        if not records:
            raise RepositoryUnknownError(f"there is no repository `{repository}`")
        prefix = f"{repository}:"
        names = (record.name for record in records)
        return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away; the manifest stays, under its digest, until that is deleted."""
        doomed = [r for r in self._records(repository) if r.name == f"{repository}:{tag}"]
        if not doomed:
            raise ManifestUnknownError(f"{repository} has no tag `{tag}`")

        def change(records: list[Record]) -> list[Record]:
            left = [r for r in records if r not in doomed]
            known = {r.descriptor.digest for r in left if r.repository == repository}
            kept = [_by_digest_only(r) for r in doomed if r.descriptor.digest not in known]
            return left + kept

        self._store.edit(change)

    def delete(self, repository: str, digest: Digest) -> None:
        """Take a manifest and its tags away."""
        doomed = [r for r in self._records(repository) if r.descriptor.digest == digest]
        if not doomed:
            raise ManifestUnknownError(f"{repository} has no manifest {digest}")
        self._store.remove(doomed)
        # While this process lives it holds what was pushed; what is deleted is not to be seen
        # again.
        self._store.discard(digest)

    def delete_blob(self, repository: str, digest: Digest) -> None:
        """Take a blob away that no image needs."""
        self.stat(repository, digest)
        if not self._store.discard(digest):
            raise RefusedError(f"an image needs {digest}")

    def referrers(self, repository: str, digest: Digest) -> list[Descriptor]:
        """Return what has this digest as its subject."""
        found = []
        for record in self._records(repository):
            raw = read_metadata(self._store.blobs, record.descriptor)
            parsed = parse(raw, record.descriptor.media_type)
            if parsed.subject and parsed.subject.digest == digest:
                found.append(as_referrer(parsed, parsed.descriptor))
        return list({entry.digest: entry for entry in found}.values())

    def _records(self, repository: str) -> list[Record]:
        return [r for r in self._store.records() if r.name and r.repository == repository]

    def _by_digest(self, repository: str, digest: Digest) -> Descriptor:
        """Describe a manifest that may have no name of its own, such as an index's child."""
        try:
            found = self.stat(repository, digest)
        except BlobUnknownError:
            raise ManifestUnknownError(f"{repository} has no manifest {digest}") from None
        if found.size <= MAX_METADATA_SIZE:
            try:
                raw = read_metadata(self._store.blobs, found)
                kind = parse(raw).descriptor.media_type
                return Descriptor(kind, digest, found.size)
            except GhcrctlError:
                pass
        raise ManifestUnknownError(f"{repository} has no manifest {digest}")

    def _forget_children(self, repository: str, root: Descriptor) -> None:
        """Drop the names by digest that an index's manifests got when they came before it."""
        if not root.is_index:
            return
        raw = read_metadata(self._store.blobs, root)
        children = {
            f"{repository}@{child.digest}" for child in parse(raw, root.media_type).children
        }
        self._store.edit(lambda records: [r for r in records if r.name not in children])


def _by_digest_only(record: Record) -> Record:
    """Name a record by its digest; without any name it would be the next `prune`'s."""
    digest = record.descriptor.digest
    return replace(record, name=f"{record.repository}@{digest}", origin=digest)
