"""The storage interface of the registry application."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index, Manifest


class Backend(Protocol):
    """The content of a registry. All methods must be thread-safe.

    A backend that stores content by digest only may ignore ``repository`` in methods that take a
    digest. A repository exists as soon as something is written to it.
    """

    def repositories(self) -> list[str]:
        """Return the names of all repositories, sorted."""
        ...

    def stat(self, repository: str, digest: Digest) -> Descriptor:
        """Return the descriptor of a blob or manifest; its media type may be generic.

        Raises:
            NotFoundError: the content does not exist.
        """
        ...

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Return the descriptor of the manifest or index with a tag or digest.

        Raises:
            NotFoundError: the repository or the manifest does not exist.
        """
        ...

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open existing content for reading, starting at a byte offset.

        Raises:
            NotFoundError: the content was deleted in the meantime.
        """
        ...

    def write(self, repository: str, content: Content) -> None:
        """Store a blob atomically; reading the content verifies it.

        Raises:
            IntegrityError: the content does not match its descriptor.
        """
        ...

    def mount(self, repository: str, digest: Digest, source: str) -> bool:
        """Mount a blob from another repository; return whether the blob was found.

        Args:
            repository: target repository.
            digest: digest of the blob.
            source: repository that has the blob; empty for any.
        """
        ...

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Store a manifest under its digest and optionally under a tag.

        The caller has checked that its children exist.
        """
        ...

    def tags(self, repository: str) -> list[str]:
        """Return all tags, sorted by code point.

        Raises:
            NotFoundError: the repository does not exist.
        """
        ...

    def untag(self, repository: str, tag: str) -> None:
        """Delete a tag; the manifest may be kept.

        Raises:
            NotFoundError: the tag does not exist.
        """
        ...

    def delete(self, repository: str, digest: Digest) -> None:
        """Delete a manifest and all of its tags.

        Raises:
            NotFoundError: the manifest does not exist.
            RefusedError: an index lists the manifest.
        """
        ...

    def delete_blob(self, repository: str, digest: Digest) -> None:
        """Delete a blob.

        Raises:
            NotFoundError: the blob does not exist.
            RefusedError: an image uses the blob.
        """
        ...

    def referrers(self, repository: str, digest: Digest) -> list[Descriptor]:
        """Return the referrers of a digest, as described by `as_referrer`."""
        ...


def as_referrer(parsed: Manifest | Index, descriptor: Descriptor) -> Descriptor:
    """Return the descriptor of a manifest for a list of referrers.

    It includes the artifact type and the annotations of the manifest.

    Spec: OCI distribution spec 1.1, "Listing Referrers".
    """
    config = getattr(parsed, "config", None)
    kind = parsed.artifact_type or (config.media_type if config else "")
    return replace(descriptor, artifact_type=kind, annotations=dict(parsed.annotations))
