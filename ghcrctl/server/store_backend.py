"""The local store as a backend: what `ghcrctl serve` serves.

What belongs here: the store's names as repositories and tags. The image ``ghcr.io/owner/image:1.0``
is served as repository ``ghcr.io/owner/image``; what is pushed as ``owner/image:1.0`` gets that
name in the store. A repository has the manifests of its own records and everything below them.
Blobs are kept apart by digest only, so every repository shows every blob.
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
from ghcrctl.store.facts import compute_facts
from ghcrctl.store.records import Record, split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.store.store import Store

_UNKNOWN_TYPE = "application/octet-stream"


class StoreBackend:
    """Serves one store; changes made by other processes are seen at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def repositories(self) -> list[str]:
        """Return the names of all repositories that a client can request, sorted."""
        names = (listed.name for listed in self._store.listing())
        found = {split_name(name)[0] for name in names if _is_full(name)}
        return sorted(filter(is_repository, found))

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
        if not records:
            raise RepositoryUnknownError(f"there is no repository `{repository}`")
        found = (
            self._manifests(records).get(Digest.parse(name))
            if ":" in name
            else next((r.descriptor for r in records if r.tag == name), None)
        )
        if found is None or self._store.blobs.size(found.digest) != found.size:
            raise ManifestUnknownError(f"{repository} has no manifest `{name}`")
        return found

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte."""
        return self._store.blobs.open(descriptor, offset)

    def write(self, repository: str, content: Content) -> None:  # noqa: ARG002 kept apart by digest only
        """Make a blob visible."""
        self._store.reserve([content.descriptor.digest])
        if not self._store.blobs.exists(content.descriptor):
            self._store.blobs.write(content, self._store.lease())

    def mount(self, repository: str, digest: Digest, source: str) -> bool:  # noqa: ARG002 see write
        """Return whether a blob is here; every repository shows it then."""
        if not self._store.blobs.path(digest).exists():
            return False
        self._store.reserve([digest])
        return True

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Make a manifest visible by its digest and maybe a tag."""
        self.write(repository, content)
        root = content.descriptor
        facts = compute_facts(self._store.blobs, root, self._store.prefer)
        name = f"{repository}:{tag}" if tag else f"{repository}@{root.digest}"
        self._store.put(Record(root, name, facts, root.digest))

    def tags(self, repository: str) -> list[str]:
        """Return all tags, sorted."""
        records = self._records(repository)
        if not records:
            raise RepositoryUnknownError(f"there is no repository `{repository}`")
        return sorted(record.tag for record in records if is_tag(record.tag))

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away; the manifest stays, under its digest, until that is deleted."""
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
        """Delete a manifest with its tags, and its referrers that have no tag of their own.

        Raises:
            ManifestUnknownError: the repository has no such manifest.
            RefusedError: an index of the repository lists the manifest.
        """
        records = self._records(repository)
        doomed = [r for r in records if r.descriptor.digest == digest]
        if digest in self._manifests([r for r in records if r not in doomed]):
            raise RefusedError(f"an index in {repository} lists {digest}: delete the index first")
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
        """Return what has this digest as its subject, among all manifests of the repository."""
        graph = self._store.graph
        manifests = self._manifests(self._records(repository)).values()
        found = (
            self._as_referrer(d) for d in manifests if graph.links_if_readable(d).subject == digest
        )
        return [entry for entry in found if entry]

    def _as_referrer(self, descriptor: Descriptor) -> Descriptor | None:
        """Describe a referrer; ``None`` if its manifest is missing or damaged."""
        try:
            raw = read_metadata(self._store.blobs, descriptor)
        except GhcrctlError:
            return None
        plain = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)
        return as_referrer(parse(raw, descriptor.media_type), plain)

    def _records(self, repository: str) -> list[Record]:
        """Return a repository's records; a name without tag and digest is in no repository."""
        return [
            listed.record
            for listed in self._store.listing()
            if split_name(listed.name)[0] == repository and _is_full(listed.name)
        ]

    def _manifests(self, records: Sequence[Record]) -> dict[Digest, Descriptor]:
        """Return the readable manifests of records, and those that their indexes list."""
        found = self._store.graph.manifests(record.descriptor for record in records)
        return {descriptor.digest: descriptor for descriptor in found}


def _is_full(name: str) -> bool:
    """Return whether a name has a tag or a digest; those of other tools may be a tag alone."""
    return split_name(name)[0] != name


def _by_digest_only(record: Record) -> Record:
    """Name a record by its digest; without any name it would be the next `prune`'s."""
    digest = record.descriptor.digest
    return replace(record, name=f"{record.repository}@{digest}", origin=digest)
