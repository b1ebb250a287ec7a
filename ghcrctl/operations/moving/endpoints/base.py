"""Ends: the places that one image is copied from and to.

What belongs here: what an end must be able to do. What does not: how people write them
(``end_names``), each kind of them (``registry_end``, ``store_end``, ``file_ends``, ``engine_end``),
what is done with two of them (``copy``).
"""

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
    """What an image is called where it comes from.

    Args:
        reference: its full name, where it has one.
        tag: its tag; empty where it was asked for by its digest.
    """

    reference: Reference | None
    tag: str


@dataclass(frozen=True, slots=True)
class Target:
    """What the copy is called.

    Args:
        shown: for people, in full.
        names: as the place has them.
        reference: the full name, where it is one.
    """

    shown: str
    names: tuple[str, ...]
    reference: Reference | None = None

    def pinned(self, digest: Digest) -> str:
        """Return the place and the digest of the copy, without a tag.

        ``shown`` ends in the name; before it may be a path or a host with any number of colons.
        """
        if self.reference:
            place = self.shown.removesuffix(str(self.reference))
            return f"{place}{self.reference.with_digest(digest)}"
        if self.shown.endswith(str(digest)):
            return self.shown
        return f"{self.shown.removesuffix(f':{self.names[0]}')}@{digest}"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """An image where it is.

    Args:
        place: has its content.
        root: the image.
        naming: what it is called there.
        repository: its name at a registry, where it is at one.
        part_of: the reference of the index that it is only a part of; empty where it is whole.
    """

    place: Source
    root: Descriptor
    naming: Naming
    repository: Reference | None = None
    part_of: str = ""


class OpenSink(Protocol):
    """A place that images are written to, until it is closed."""

    def place(self, source: OpenSource, target: Target) -> Sink:
        """Return what takes the content of one image and gives it its names."""
        ...


class End(Protocol):
    """One end of a copy. Opening it for writing makes nothing visible before all is there."""

    @property
    def what(self) -> str:
        """What of a place it is, for people: a tag, a name; empty where nobody said."""
        ...

    @property
    def where(self) -> str:
        """The place, for people."""
        ...

    @property
    def registry(self) -> str:
        """The registry that is talked to; empty where it is none."""
        ...

    @property
    def takes_one_platform(self) -> bool:
        """Whether it is given one platform of an image unless more are asked for."""
        ...

    @property
    def is_one_by_one(self) -> bool:
        """Whether what is written there has an order."""
        ...

    @property
    def known(self) -> Naming | None:
        """What the image is called, where that is known before the end is opened."""
        ...

    @property
    def takes_several(self) -> bool:
        """Whether each of several images gets a name of its own there."""
        ...

    def source(self, session: Session) -> AbstractContextManager[OpenSource]:
        """Open it for reading.

        Raises:
            NotFoundError: there is no such image.
            UsageError: several images are there, and none is named.
        """
        ...

    def sink(self, session: Session, *, dry_run: bool) -> AbstractContextManager[OpenSink]:
        """Open it for writing; where the block fails, nothing of it is visible."""
        ...

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return what the copy of an image is called there.

        Args:
            naming: what it is called where it comes from.
            digest: of what is copied; ``None`` where that is not known yet.
        """
        ...


def check_digest(target: object, named: Digest | None, digest: Digest | None) -> None:
    """Check that a target which names a digest gets that content.

    Args:
        target: as the user wrote it.
        named: the digest in it, if any.
        digest: of what is copied; ``None`` where that is not known yet.

    Raises:
        RefusedError: it is the digest of other content.
    """
    if named and digest and named != digest:
        raise RefusedError(
            f"cannot copy the image to {target}: its digest is {digest}",
            hint="omit the digest; copying does not change it",
        )


def named_like(reference: Reference, naming: Naming) -> Reference:
    """Return a name with the tag of what is copied, unless it says one."""
    if reference.tag or reference.digest:
        return reference
    return reference.with_tag(naming.tag or DEFAULT_TAG)
