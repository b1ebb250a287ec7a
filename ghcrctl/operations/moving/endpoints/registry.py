"""A registry as an endpoint: an image, a repository, or a namespace of repositories."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import RefusedError, UsageError
from ghcrctl.operations.moving.endpoints.base import Naming, OpenSource, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Sink
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import OpenSink


@dataclass(frozen=True, slots=True)
class RegistryEndpoint:
    """An image at a registry.

    Args:
        reference: its name; without tag and digest, a repository.
        is_namespace: whether the repository is a prefix that is completed with the last component
            of each image's name.
    """

    reference: Reference
    is_namespace: bool = False
    takes_one_platform = False
    is_sequential = False

    @classmethod
    def namespace(cls, session: Session, text: str) -> RegistryEndpoint:
        """Parse ``REGISTRY/`` or ``[REGISTRY/]NAMESPACE/``."""
        found = session.parse(f"{text}x")
        return cls(replace(found, repository=found.repository[:-1]), is_namespace=True)

    @property
    def what(self) -> str:
        """The tag or digest."""
        return self.reference.target

    @property
    def where(self) -> str:
        """The repository."""
        return self.reference.name

    @property
    def registry(self) -> str:
        """The registry."""
        return self.reference.registry

    @property
    def takes_multiple(self) -> bool:
        """Whether it is a repository or a namespace."""
        return not (self.reference.tag or self.reference.digest)

    @property
    def known(self) -> Naming:
        """The name; with docker's default tag if it has none."""
        found = self.reference.tagged()
        return Naming(found, "" if found.digest else found.tag or "")

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Resolve the image, at mirrors first."""
        if self.is_namespace:
            raise UsageError(f"`{self.reference}` is a namespace, not an image")
        found = self.reference.tagged()
        place = session.source(found)
        yield OpenSource(place, place.resolve(found.target), self.known, found)

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:  # noqa: ARG002 nothing to prepare
        """Write to the registry; an image's tag is set after all of its content."""
        yield _RegistrySink(session)

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the full name of a copy, with the source's tag by default."""
        target = self._repository(naming)
        if target.digest and digest and target.digest != digest:
            raise RefusedError(
                f"cannot copy {naming.reference or 'the image'} to {target}: its digest is "
                f"{digest}",
                hint="omit the digest; copying does not change it",
            )
        tag = target.tag or ("" if target.digest else naming.tag)
        if tag:
            named = target.with_tag(tag)
            return Target(str(named), (tag,), named)
        named = target.with_digest(digest) if digest else target
        return Target(str(named), (), named)

    def _repository(self, naming: Naming) -> Reference:
        if not self.is_namespace:
            return self.reference
        if naming.reference is None:
            raise UsageError(
                "the image has no name to append to the namespace",
                hint="give the full name of the target",
            )
        own = naming.reference.repository.rpartition("/")[2]
        return replace(self.reference, repository=f"{self.reference.repository}{own}")


@dataclass(frozen=True, slots=True)
class _RegistrySink:
    session: Session

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 one repository
        if target.reference is None:
            raise TypeError("an image at a registry must have a reference")
        return self.session.repository(target.reference)
