"""The local store as a backend of the registry.

The image ``ghcr.io/owner/image:1.0`` is served as repository ``ghcr.io/owner/image``. An image that
is pushed as ``owner/image:1.0`` has that name in the store.
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
from ghcrctl.oci.manifest import parse
from ghcrctl.oci.reference import is_repository, is_tag
from ghcrctl.server.backend import as_referrer
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.records import Record, split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.store.store import Store

_UNKNOWN_TYPE = "application/octet-stream"


class StoreBackend:
    """A backend that serves the local store, including changes by other processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def repositories(self) -> list[str]:
        """Return the names of all repositories that clients can request, sorted."""
        names = (listed.name for listed in self._store.listing())
        found = {split_name(name)[0] for name in names if _is_full(name)}
        return sorted(filter(is_repository, found))

    def stat(self, repository: str, digest: Digest) -> Descriptor:
        """Return the descriptor of a blob or manifest."""
        try:
            size = self._store.blobs.path(digest).stat().st_size
        except OSError:
            raise BlobUnknownError(f"{repository} has no blob {digest}") from None
        return Descriptor(_UNKNOWN_TYPE, digest, size)

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Return the descriptor of the manifest with a tag or digest."""
        records = self._records(repository)
        if not records:
            raise RepositoryUnknownError(f"repository `{repository}` not found")
        found = (
            self._manifests(records).get(Digest.parse(name))
            if ":" in name
            else next((r.descriptor for r in records if r.tag == name), None)
        )
        if found is None or self._store.blobs.size(found.digest) != found.size:
            raise ManifestUnknownError(f"{repository} has no manifest `{name}`")
        return found

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset."""
        return self._store.blobs.open(descriptor, offset)

    def write(self, repository: str, content: Content) -> None:  # noqa: ARG002 the store keeps blobs by digest only
        """Store a blob."""
        self._store.reserve([content.descriptor.digest])
        if not self._store.blobs.exists(content.descriptor):
            self._store.blobs.write(content, self._store.lease())

    def mount(self, repository: str, digest: Digest, source: str) -> bool:  # noqa: ARG002 see write
        """Return whether the store has a blob, which every repository then shares."""
        if not self._store.blobs.path(digest).exists():
            return False
        self._store.reserve([digest])
        return True

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Store a manifest under its digest and optionally under a tag."""
        self.write(repository, content)
        root = content.descriptor
        facts = compute_facts(self._store.blobs, root, self._store.prefer)
        name = f"{repository}:{tag}" if tag else f"{repository}@{root.digest}"
        self._store.put(Record(root, name, facts, root.digest))

    def tags(self, repository: str) -> list[str]:
        """Return all tags of a repository, sorted."""
        records = self._records(repository)
        if not records:
            raise RepositoryUnknownError(f"repository `{repository}` not found")
        return sorted(record.tag for record in records if is_tag(record.tag))

    def untag(self, repository: str, tag: str) -> None:
        """Delete a tag; the manifest is kept under its digest until it is deleted."""
        doomed = [r for r in self._records(repository) if r.tag == tag]
        if not doomed:
            raise ManifestUnknownError(f"{repository} has no tag `{tag}`")

        def change(records: list[Record]) -> list[Record]:
            left = [r for r in records if r not in doomed]
            known = {r.descriptor.digest for r in left if r.repository == repository}
            kept = [_by_digest_only(r) for r in doomed if r.descriptor.digest not in known]
            return left + kept

        self._store.edit(change)

    def delete(self, repository: str, digest: Digest) -> None:
        """Delete a manifest, its tags, and its referrers without a tag.

        Raises:
            ManifestUnknownError: the repository does not have the manifest.
            RefusedError: an index in the repository lists the manifest.
        """
        records = self._records(repository)
        doomed = [r for r in records if r.descriptor.digest == digest]
        if digest in self._manifests([r for r in records if r not in doomed]):
            raise RefusedError(
                f"cannot delete {digest}: an index in {repository} lists it; delete the index first"
            )
        if not doomed:
            raise ManifestUnknownError(f"{repository} has no manifest {digest}")
        self._store.remove(doomed)
        # This process reserves pushed content until it ends. Deleted content must not be visible
        # until then.
        self._store.discard(digest)

    def delete_blob(self, repository: str, digest: Digest) -> None:
        """Delete a blob that no image uses."""
        self.stat(repository, digest)
        if not self._store.discard(digest):
            raise RefusedError(f"cannot delete blob {digest}: an image uses it")

    def referrers(self, repository: str, digest: Digest) -> list[Descriptor]:
        """Return the referrers of a digest among all manifests of the repository."""
        graph = self._store.graph
        manifests = self._manifests(self._records(repository)).values()
        found = (
            self._as_referrer(d) for d in manifests if graph.links_if_readable(d).subject == digest
        )
        return [entry for entry in found if entry]

    def _as_referrer(self, descriptor: Descriptor) -> Descriptor | None:
        """Return the descriptor of a referrer; ``None`` if its manifest is missing or damaged."""
        try:
            raw = read_metadata(self._store.blobs, descriptor)
        except GhcrctlError:
            return None
        plain = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)
        return as_referrer(parse(raw, descriptor.media_type), plain)

    def _records(self, repository: str) -> list[Record]:
        """Return the records of a repository; names without tag or digest are ignored."""
        return [
            listed.record
            for listed in self._store.listing()
            if split_name(listed.name)[0] == repository and _is_full(listed.name)
        ]

    def _manifests(self, records: Sequence[Record]) -> dict[Digest, Descriptor]:
        """Return the readable manifests of records, including those in their indexes."""
        found = self._store.graph.manifests(record.descriptor for record in records)
        return {descriptor.digest: descriptor for descriptor in found}


def _is_full(name: str) -> bool:
    """Return whether a name has a tag or digest; other tools may store a tag alone."""
    return split_name(name)[0] != name


def _by_digest_only(record: Record) -> Record:
    """Return a record named by its digest, since `prune` deletes records without a name."""
    digest = record.descriptor.digest
    return replace(record, name=f"{record.repository}@{digest}", origin=digest)
