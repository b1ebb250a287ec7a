"""The local store as an endpoint."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import UsageError
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.common.find import find
from ghcrctl.operations.moving.endpoints.base import (
    Naming,
    OpenSource,
    Target,
    check_digest,
    with_source_tag,
)
from ghcrctl.store.place import StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Sink
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import OpenSink


@dataclass(frozen=True, slots=True)
class StoreEndpoint:
    """An image in the local store.

    Args:
        reference: its name; ``None`` for the whole store, or if the text is an ID.
        text: the text as the user wrote it.
    """

    reference: Reference | None
    text: str
    registry = ""
    takes_one_platform = False
    is_sequential = False

    @classmethod
    def parse(cls, session: Session, text: str) -> StoreEndpoint:
        """Parse the text after ``store:``: a name, an ID, or nothing."""
        try:
            return cls(session.parse(text) if text else None, text)
        except UsageError:
            # An ID of 64 digits is not a valid name; `find` accepts it.
            return cls(None, text)

    @property
    def what(self) -> str:
        """The name or ID."""
        return str(self.reference.tagged()) if self.reference else self.text

    @property
    def where(self) -> str:
        """The store."""
        return "the local store"

    @property
    def takes_multiple(self) -> bool:
        """Whether no name is given, so each image keeps its own."""
        return not self.text

    @property
    def known(self) -> Naming | None:
        """The name, unless the text is an ID."""
        if self.reference is None:
            return None
        found = self.reference.tagged()
        return Naming(found, "" if found.digest else found.tag or "")

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Find the image."""
        if not self.text:
            raise UsageError("`store:` has no name", hint="list local images: ghcrctl images")
        found = find(session, self.text)
        name = found.record.reference
        naming = Naming(name, name.tag or "" if name else "")
        yield OpenSource(
            StorePlace(session.store),
            found.record.descriptor,
            naming,
            part_of=found.record.part_of,
        )

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:
        """Store images; an image gets its name after all of its content."""
        yield _StoreSink(session, dry_run)

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the given name, or by default the name of the source."""
        if self.text and self.reference is None:
            raise UsageError(f"invalid name `{self.text}` for a copy: it is an ID")
        name = self.reference or naming.reference
        if name is None:
            raise UsageError("the image has no name to keep", hint="add one: store:NAME")
        if self.reference:
            check_digest(f"store:{self.text}", self.reference.digest, digest)
        named = check_new_name(with_source_tag(name, naming))
        return Target(str(named), (str(named),), named)


@dataclass(frozen=True, slots=True)
class _StoreSink:
    session: Session
    dry_run: bool

    def place(self, source: OpenSource, target: Target) -> Sink:
        is_own = (
            source.repository is not None
            and target.reference is not None
            and source.repository.name == target.reference.name
        )
        # If the name keeps its repository, record the digest in that repository, as after a pull.
        origin = source.root.digest if is_own else None
        if origin and source.part_of and source.root.is_index and not self.dry_run:
            index = read_metadata(source.place, source.root)
            self.session.store.origins.keep(origin, index)
        return StorePlace(self.session.store, origin=origin, index=source.part_of)
