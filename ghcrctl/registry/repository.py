"""A repository of a registry as a place to copy from and to.

What belongs here: the ports over the client. Manifests that `resolve` got are kept, so that none is
asked for twice.
"""

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
from ghcrctl.registry.blob_upload import Sender
from ghcrctl.registry.foreign_layers import open_foreign
from ghcrctl.registry.ranges import open_blob
from ghcrctl.registry.referrers import add_referrer, list_referrers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.registry.client import RawManifest, RegistryClient

# GitHub's documentation, "Working with the Container registry", Troubleshooting: 10 GB a layer.
_GHCR_LAYER_LIMIT = 10 * 1024**3
_SAME_NAMES: Mapping[str, str] = MappingProxyType({})


_WRONG_BYTES = "try without a proxy or mirror, or push the content there again"


class Repository:
    """One repository. Names are tags or digests.

    Args:
        client: talks to its registry.
        repository: its name there.
        names: tags that have another name there, if a rule is for one image.
    """

    def __init__(
        self, client: RegistryClient, repository: str, names: Mapping[str, str] = _SAME_NAMES
    ) -> None:
        self._client = client
        self._repository = repository
        self._names = names
        self._manifests: dict[Digest, bytes] = {}
        self._there: set[Digest] = set()
        self._corruptions = CorruptionCount()
        self._sender = Sender(client.uploads, repository, chunk=client.transport.options.chunk)
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """How people know this place."""
        return f"{self._client.registry}/{self._repository}"

    @property
    def registry(self) -> str:
        """The host that serves it."""
        return self._client.registry

    def provenance(self, descriptor: Descriptor) -> Provenance:  # noqa: ARG002 all is here
        """Return this repository, and what may help if it sends wrong bytes."""
        return Provenance(self.label, _WRONG_BYTES)

    def resolve(self, name: str) -> Descriptor:
        """Return what a tag or a digest stands for, verified.

        Raises:
            NotFoundError: there is no such name, or it is not shown to this credential.
            IntegrityError: the manifest is not what the digest, or the registry itself, says.
        """
        name = self._names.get(name, name)
        try:
            found = self._get_verified(name)
        except DigestMismatchError:
            # A bit may have flipped in transit.
            self._client.transport.reconnect()
            found = self._get_verified(name)
        descriptor = parse(found.raw, found.media_type).descriptor
        self._manifests[descriptor.digest] = found.raw
        return descriptor

    def _get_verified(self, name: str) -> RawManifest:
        found = self._client.get_manifest(self._repository, name)
        said = name if ":" in name else found.digest
        if said:
            _verify(found.raw, said, self.label)
        return found

    def digest_of(self, name: str) -> Digest:
        """Return what a tag stands for, as the registry says, without downloading anything.

        Raises:
            NotFoundError: there is no such tag, or it is not shown to this credential.
        """
        said = self._client.find_digest(self._repository, self._names.get(name, name))
        try:
            return Digest.parse(said)
        except InvalidDigestError:
            # Registries need not say it (OCI distribution spec 1.1, "Checking if content exists").
            return self.resolve(name).digest

    def delete(self, name: str) -> None:
        """Delete a tag, or by its digest a manifest with all of its tags.

        Raises:
            NotFoundError: there is none.
            UnsupportedError: the registry does not do this; many delete by digest only.
        """
        self._client.delete_manifest(self._repository, self._names.get(name, name))

    def referrers(self, subject: Digest) -> list[Descriptor]:
        """Return what refers to a manifest, of whatever kind."""
        return list_referrers(self._client, self._repository, subject)

    def tags(self) -> Iterator[str]:
        """Yield every tag."""
        return self._client.tags(self._repository)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte; foreign layers are looked for at their ``urls`` too."""
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
        """Allow one more fetch of corrupted content, or one from its next address."""
        self._manifests.pop(descriptor.digest, None)
        self._client.transport.reconnect()
        return self._corruptions.record(descriptor)

    def _manifest(self, descriptor: Descriptor) -> bytes:
        kept = self._manifests.get(descriptor.digest)
        if kept is not None:
            return kept
        raw = self._client.get_manifest(self._repository, str(descriptor.digest)).raw
        # The reader verifies it, and says where it is wrong (`mark_corrupt`).
        self._manifests[descriptor.digest] = raw
        return raw

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Do nothing: a registry keeps what it has for a while, used or not."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here; what was found or put here before is not asked for."""
        if descriptor.digest in self._there:
            return True
        ask = self._client.has_manifest if descriptor.is_manifest else self._client.has_blob
        if not ask(self._repository, descriptor.digest):
            return False
        self._there.add(descriptor.digest)
        return True

    def mount(self, descriptor: Descriptor, repositories: Sequence[str]) -> str | None:
        """Mount a blob from a repository of the same registry.

        A registry that refuses responds with an upload session, which `write` uses. A failed mount
        is not an error either: the upload reports any real fault.
        """
        for source in repositories[:1]:
            try:
                if self._sender.mount(descriptor.digest, source):
                    return source
            except InterruptedByUserError:
                raise
            except GhcrctlError:
                return None
        return None

    def write(self, content: Content) -> None:
        """Upload a blob, or put a manifest under its digest."""
        if content.descriptor.is_manifest:
            self._put(content, str(content.descriptor.digest))
        else:
            self._upload(content)
            self._there.add(content.descriptor.digest)

    def tag(self, content: Content, name: str) -> None:
        """Put a manifest under a tag."""
        self._put(content, self._names.get(name, name))

    def _put(self, content: Content, name: str) -> None:
        raw = content.read()
        descriptor = content.descriptor
        said, listed = self._client.put_manifest(self._repository, name, raw, descriptor.media_type)
        if said and said != str(descriptor.digest):
            raise InvalidResponseError(
                f"{self.label} says that the manifest is {said}, but it is {descriptor.digest}"
            )

        parsed = parse(raw, descriptor.media_type)
        if parsed.subject and not listed:
            with self._lock:
                add_referrer(self._client, self._repository, parsed)

    def _upload(self, content: Content) -> None:
        digest, size = content.descriptor.digest, content.descriptor.size
        if self._client.registry == "ghcr.io" and size > _GHCR_LAYER_LIMIT:
            raise UnsupportedError(
                f"{digest} has {size} bytes; ghcr.io takes layers of at most 10 GB",
                hint="split the layer into several",
            )
        self._sender.send(content)


def _verify(raw: bytes, said: str, label: str) -> None:
    try:
        expected = Digest.parse(said)
    except InvalidDigestError as error:
        raise InvalidResponseError(f"{label} sent a manifest with an {error.message}") from None
    actual = Digest.of(raw, expected.algorithm)
    if actual != expected:
        raise DigestMismatchError(
            f"{label} sent a manifest that is not what it says: expected {expected}, got {actual}",
            hint=_WRONG_BYTES,
        )
