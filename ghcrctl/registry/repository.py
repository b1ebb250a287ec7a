"""A repository in a registry as a source and sink for copies."""

from __future__ import annotations

import io
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

from ghcrctl.content.corruption_retry import CorruptionCount
from ghcrctl.content.provenance import Provenance
from ghcrctl.errors import (
    AuthError,
    DigestMismatchError,
    GhcrctlError,
    InterruptedByUserError,
    InvalidDigestError,
    InvalidResponseError,
    NotFoundError,
    UnsupportedError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import parse
from ghcrctl.registry.blob_upload import BlobUploader
from ghcrctl.registry.foreign_layers import open_foreign
from ghcrctl.registry.parallel_ranges import open_blob
from ghcrctl.registry.referrers import add_referrer, list_referrers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.registry.client import RawManifest, RegistryClient

# GitHub's documentation, "Working with the Container registry", Troubleshooting: 10 GB per layer.
_GHCR_LAYER_LIMIT = 10 * 1024**3
_NO_RENAMES: Mapping[str, str] = MappingProxyType({})
_WRONG_BYTES = "retry without a proxy or mirror, or push the content again"


class Repository:
    """One repository; names are tags or digests.

    Args:
        client: the registry's client.
        repository: the repository's name.
        names: tags that are renamed at this registry, from a routing rule for a single image.
    """

    def __init__(
        self, client: RegistryClient, repository: str, names: Mapping[str, str] = _NO_RENAMES
    ) -> None:
        self._client = client
        self._repository = repository
        self._names = names
        # Manifests from `resolve` are kept so that none is downloaded twice.
        self._manifests: dict[Digest, bytes] = {}
        self._existing: set[Digest] = set()
        self._corruptions = CorruptionCount()
        chunk = client.transport.options.chunk
        self._uploader = BlobUploader(client.uploads, repository, chunk=chunk)
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """The repository's name for messages."""
        return f"{self._client.registry}/{self._repository}"

    @property
    def registry(self) -> str:
        """The registry's host."""
        return self._client.registry

    def provenance(self, descriptor: Descriptor) -> Provenance:  # noqa: ARG002 one source only
        """Return this repository, with a hint for errors about corrupted bytes."""
        return Provenance(self.label, _WRONG_BYTES)

    def resolve(self, name: str) -> Descriptor:
        """Return the verified descriptor for a tag or digest.

        Raises:
            NotFoundError: the name does not exist, or the credential has no access to it.
            IntegrityError: the manifest does not match the digest, or the one the registry states.
        """
        name = self._names.get(name, name)
        try:
            found = self._get_verified(name)
        except DigestMismatchError:
            # The manifest may have been corrupted in transit.
            self._client.transport.reconnect()
            found = self._get_verified(name)
        descriptor = parse(found.raw, found.media_type).descriptor
        self._manifests[descriptor.digest] = found.raw
        return descriptor

    def _get_verified(self, name: str) -> RawManifest:
        found = self._client.get_manifest(self._repository, name)
        stated = name if ":" in name else found.digest
        if stated:
            _verify(found.raw, stated, self.label)
        return found

    def digest_of(self, name: str) -> Digest:
        """Return the digest that the registry states for a tag, without a download if possible.

        Raises:
            NotFoundError: the tag does not exist, or the credential has no access to it.
        """
        stated = self._client.find_digest(self._repository, self._names.get(name, name))
        try:
            return Digest.parse(stated)
        except InvalidDigestError:
            # The header is optional (OCI distribution spec 1.1, "Checking if content exists").
            return self.resolve(name).digest

    def delete(self, name: str) -> None:
        """Delete a tag, or by its digest a manifest with all of its tags.

        Raises:
            NotFoundError: the name does not exist.
            UnsupportedError: the registry does not support this; many only delete by digest.
        """
        self._client.delete_manifest(self._repository, self._names.get(name, name))

    def referrers(self, subject: Digest) -> list[Descriptor]:
        """Return all referrers of a manifest."""
        return list_referrers(self._client, self._repository, subject)

    def tags(self) -> Iterator[str]:
        """Yield all tags."""
        return self._client.tags(self._repository)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at an offset; foreign layers are also read from their ``urls``."""
        if descriptor.is_manifest:
            stream = io.BytesIO(self._manifest(descriptor))
            stream.seek(offset)
            return stream
        try:
            return open_blob(self._client, self._repository, descriptor, offset)
        except (NotFoundError, AuthError):
            if not (descriptor.is_foreign and descriptor.urls):
                raise
        transport = self._client.transport
        return open_foreign(
            self._corruptions.next_urls(descriptor),
            offset,
            transport.options,
            guard=transport.guard,
            absent_from=self.label,
        )

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Record corrupted content; return whether another attempt or URL is left."""
        self._manifests.pop(descriptor.digest, None)
        self._client.transport.reconnect()
        return self._corruptions.record(descriptor)

    def _manifest(self, descriptor: Descriptor) -> bytes:
        kept = self._manifests.get(descriptor.digest)
        if kept is not None:
            return kept
        raw = self._client.get_manifest(self._repository, str(descriptor.digest)).raw
        # The reader verifies the manifest and reports corruption through `mark_corrupt`.
        self._manifests[descriptor.digest] = raw
        return raw

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Do nothing: a registry keeps unreferenced content for a while."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Check whether content exists; positive results are remembered."""
        if descriptor.digest in self._existing:
            return True
        check = self._client.has_manifest if descriptor.is_manifest else self._client.has_blob
        if not check(self._repository, descriptor.digest):
            return False
        self._existing.add(descriptor.digest)
        return True

    def mount(self, descriptor: Descriptor, repositories: Sequence[str]) -> str | None:
        """Mount a blob from a repository of the same registry; return its name on success.

        A registry that does not mount responds with an upload session, which `write` uses. A failed
        mount is not an error, since the following upload reports any real problem.
        """
        for source in repositories[:1]:
            try:
                if self._uploader.mount(descriptor.digest, source):
                    return source
            except InterruptedByUserError:
                raise
            except GhcrctlError:
                return None
        return None

    def write(self, content: Content) -> None:
        """Upload a blob, or a manifest under its digest."""
        if content.descriptor.is_manifest:
            self._put(content, str(content.descriptor.digest))
        else:
            self._upload(content)
            self._existing.add(content.descriptor.digest)

    def tag(self, content: Content, name: str) -> None:
        """Upload a manifest under a tag."""
        self._put(content, self._names.get(name, name))

    def _put(self, content: Content, name: str) -> None:
        raw = content.read()
        descriptor = content.descriptor
        stated, listed = self._client.put_manifest(
            self._repository, name, raw, descriptor.media_type
        )
        if stated and stated != str(descriptor.digest):
            raise InvalidResponseError(
                f"{self.label} stored the manifest as {stated}: expected {descriptor.digest}"
            )

        parsed = parse(raw, descriptor.media_type)
        if parsed.subject and not listed:
            with self._lock:
                add_referrer(self._client, self._repository, parsed)

    def _upload(self, content: Content) -> None:
        digest, size = content.descriptor.digest, content.descriptor.size
        if self._client.registry == "ghcr.io" and size > _GHCR_LAYER_LIMIT:
            raise UnsupportedError(
                f"cannot push {digest}: it has {size} bytes, and ghcr.io accepts layers of at most "
                "10 GB",
                hint="split the layer into smaller layers",
            )
        self._uploader.send(content)


def _verify(raw: bytes, stated: str, label: str) -> None:
    try:
        expected = Digest.parse(stated)
    except InvalidDigestError as error:
        raise InvalidResponseError(f"{label} returned a manifest with an {error.message}") from None
    actual = Digest.of(raw, expected.algorithm)
    if actual != expected:
        raise DigestMismatchError(
            f"{label} returned a manifest with the wrong digest: expected {expected}, got {actual}",
            hint=_WRONG_BYTES,
        )
