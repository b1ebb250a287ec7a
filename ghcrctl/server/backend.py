"""What the registry application needs of a place with content.

What belongs here: the protocol, and how a manifest is described to those who ask for referrers.
What does not: places that implement it.
"""

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
    """A place that can be served; every method may be called by several threads at once.

    A place that does not keep content apart by repository may disregard ``repository`` wherever
    content is asked for by digest. Repositories come into being when something is written to them.
    """

    def repositories(self) -> list[str]:
        """Return the names of all repositories, sorted."""
        ...

    def stat(self, repository: str, digest: Digest) -> Descriptor:
        """Describe content of any kind: its media type (maybe generic) and its size.

        Raises:
            NotFoundError: it is not there.
        """
        ...

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Return the manifest or index that a tag or a digest stands for.

        Raises:
            NotFoundError: there is no such repository or no such name in it.
        """
        ...

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content, that was found before, at a byte.

        Raises:
            NotFoundError: it is gone.
        """
        ...

    def write(self, repository: str, content: Content) -> None:
        """Make a blob visible, all of it or nothing; the content verifies itself as it is read.

        Raises:
            IntegrityError: the content is not what its descriptor says.
        """
        ...

    def mount(self, repository: str, digest: Digest, source: str) -> bool:
        """Make a blob of another repository visible here too; return whether that was done.

        Args:
            repository: where the blob is to be visible.
            digest: the blob.
            source: the other repository; empty for any that has the blob.
        """
        ...

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        """Make a manifest visible by its digest and, where given, by a tag.

        The caller has made sure that its children are there.
        """
        ...

    def tags(self, repository: str) -> list[str]:
        """Return all tags, sorted by code point.

        Raises:
            NotFoundError: there is no such repository.
        """
        ...

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away; the manifest may stay.

        Raises:
            NotFoundError: there is no such tag.
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
        """Take a blob away.

        Raises:
            NotFoundError: there is no such blob.
            RefusedError: an image needs it.
        """
        ...

    def referrers(self, repository: str, digest: Digest) -> list[Descriptor]:
        """Return what has this digest as its subject, described by `as_referrer`."""
        ...


def as_referrer(parsed: Manifest | Index, descriptor: Descriptor) -> Descriptor:
    """Describe a manifest for the list of referrers: with its artifact type and annotations.

    Spec: OCI distribution spec 1.1, "Listing Referrers".
    """
    config = getattr(parsed, "config", None)
    kind = parsed.artifact_type or (config.media_type if config else "")
    return replace(descriptor, artifact_type=kind, annotations=dict(parsed.annotations))
