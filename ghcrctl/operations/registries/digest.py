"""Resolve a name to its digest at the registry, downloading as little as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.operations.common.platform_selection import Selection, choose

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session


def digest_of(
    session: Session, reference: Reference, *, platform: Platform | None = None
) -> Digest:
    """Return the digest that a name resolves to.

    Args:
        session: the run.
        reference: the name.
        platform: the platform to choose from a multi-platform image; by default, the whole image.

    Raises:
        NotFoundError: the image does not exist, or not for the platform.
        RefusedError: the name is local.
    """
    repository = session.source(reference)
    if platform is None:
        return repository.digest_of(reference.target)
    root = repository.resolve(reference.target)
    select = Selection((platform,))
    return choose(repository, root, select, platform, MemoryPlace(), warn=session.warn).digest
