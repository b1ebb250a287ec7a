"""Endpoints: the sources and targets of a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import RefusedError
from ghcrctl.oci.reference import DEFAULT_TAG

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ghcrctl.content.ports import Sink, Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session


@dataclass(frozen=True, slots=True)
class Naming:
    """The name of an image at its source.

    Args:
        reference: its full name, if it has one.
        tag: its tag; empty if it was requested by digest.
    """

    reference: Reference | None
    tag: str


@dataclass(frozen=True, slots=True)
class Target:
    """The name of a copy at its target.

    Args:
        shown: the full name, for messages.
        names: the names in the form of the place.
        reference: the full name as a reference, if it is one.
    """

    shown: str
    names: tuple[str, ...]
    reference: Reference | None = None

    def pinned(self, digest: Digest) -> str:
        """Return the place and the digest of the copy, without a tag.

        ``shown`` ends in the name; the path or host before it may contain any number of colons.
        """
        if self.reference:
            place = self.shown.removesuffix(str(self.reference))
            return f"{place}{self.reference.with_digest(digest)}"
        if self.shown.endswith(str(digest)):
            return self.shown
        return f"{self.shown.removesuffix(f':{self.names[0]}')}@{digest}"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """An image at its source, open for reading.

    Args:
        place: the source of its content.
        root: its manifest or index.
        naming: its name there.
        repository: its name at a registry, if it is at one.
        part_of: the reference of the index that it is a part of; empty for a complete image.
    """

    place: Source
    root: Descriptor
    naming: Naming
    repository: Reference | None = None
    part_of: str = ""


class OpenSink(Protocol):
    """A target that images are written to until it is closed."""

    def place(self, source: OpenSource, target: Target) -> Sink:
        """Return the sink for the content and the names of one image."""
        ...


class Endpoint(Protocol):
    """A source or target of a copy. At a target, nothing is visible until it is complete."""

    @property
    def what(self) -> str:
        """The tag, name or ID in the place, for messages; empty if none was given."""
        ...

    @property
    def where(self) -> str:
        """The place, for messages."""
        ...

    @property
    def registry(self) -> str:
        """The registry; empty for other places."""
        ...

    @property
    def takes_one_platform(self) -> bool:
        """Whether only one platform is copied there unless the user selects more."""
        ...

    @property
    def is_sequential(self) -> bool:
        """Whether content must be written sequentially."""
        ...

    @property
    def known(self) -> Naming | None:
        """The name of the image, if it is known before the endpoint is opened."""
        ...

    @property
    def takes_multiple(self) -> bool:
        """Whether multiple images can be copied there, each with its own name."""
        ...

    def source(self, session: Session) -> AbstractContextManager[OpenSource]:
        """Open the endpoint for reading.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: the place has multiple images, and none was named.
        """
        ...

    def sink(self, session: Session, *, dry_run: bool) -> AbstractContextManager[OpenSink]:
        """Open the endpoint for writing; if the block fails, nothing is visible."""
        ...

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the name that a copied image gets there.

        Args:
            naming: its name at the source.
            digest: the digest of the copy; ``None`` if not known yet.
        """
        ...


def check_digest(target: object, named: Digest | None, digest: Digest | None) -> None:
    """Check that a target with a digest gets content with this digest.

    Args:
        target: the target as the user wrote it.
        named: the digest in it, if any.
        digest: the digest of the copy; ``None`` if not known yet.

    Raises:
        RefusedError: the digests differ.
    """
    if named and digest and named != digest:
        raise RefusedError(
            f"cannot copy the image to {target}: its digest is {digest}",
            hint="omit the digest; copying does not change it",
        )


def with_source_tag(reference: Reference, naming: Naming) -> Reference:
    """Return a name, with the tag of the source if it has neither tag nor digest."""
    if reference.tag or reference.digest:
        return reference
    return reference.with_tag(naming.tag or DEFAULT_TAG)
