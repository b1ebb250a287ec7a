"""A registry as an end of a copy: an image there, a repository, or a namespace of repositories."""

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
class RegistryEnd:
    """An image at a registry.

    Args:
        reference: its name; without tag and digest, a repository.
        is_namespace: whether the repository is only the beginning of one, whose last component is
            each image's own.
    """

    reference: Reference
    is_namespace: bool = False
    takes_one_platform = False
    is_one_by_one = False

    @classmethod
    def namespace(cls, session: Session, text: str) -> RegistryEnd:
        """Read ``REGISTRY/`` or ``[REGISTRY/]NAMESPACE/``."""
        found = session.parse(f"{text}x")
        return cls(replace(found, repository=found.repository[:-1]), is_namespace=True)

    @property
    def what(self) -> str:
        """Its tag or digest."""
        return self.reference.target

    @property
    def where(self) -> str:
        """Its repository."""
        return self.reference.name

    @property
    def registry(self) -> str:
        """The registry."""
        return self.reference.registry

    @property
    def takes_several(self) -> bool:
        """Whether it is a whole repository, or more."""
        return not (self.reference.tag or self.reference.digest)

    @property
    def known(self) -> Naming:
        """Its name; docker's default tag where there is none."""
        found = self.reference.tagged()
        return Naming(found, "" if found.digest else found.tag or "")

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Resolve it; mirrors are asked first."""
        if self.is_namespace:
            raise UsageError(f"`{self.reference}` is no image but the beginning of names")
        found = self.reference.tagged()
        place = session.source(found)
        yield OpenSource(place, place.resolve(found.target), self.known, found)

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:  # noqa: ARG002 nothing is begun
        """Write there; each image's tag moves when all of it is there."""
        yield _Repositories(session)

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the full name of a copy; without a tag of its own it has the source's."""
        target = self._repository(naming)
        if target.digest and digest and target.digest != digest:
            raise RefusedError(
                f"{naming.reference or 'the image'} is {digest}, so it cannot be copied to "
                f"{target}",
                hint="leave the digest out: it stays what it is",
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
                "the image has no name that could follow the `/`", hint="name the target in full"
            )
        own = naming.reference.repository.rpartition("/")[2]
        return replace(self.reference, repository=f"{self.reference.repository}{own}")


@dataclass(frozen=True, slots=True)
class _Repositories:
    session: Session

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 all are alike
        if target.reference is None:
            raise TypeError("a registry's image has a reference")
        return self.session.repository(target.reference)
