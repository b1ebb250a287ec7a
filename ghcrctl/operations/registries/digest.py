"""Digest: what a name stands for at its registry.

What belongs here: asking for it in the way that downloads least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.operations.common.platform_selection import Selection, choose

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session


def digest_of(
    session: Session, reference: Reference, *, platform: Platform | None = None
) -> Digest:
    """Return what a name stands for.

    Args:
        session: the run.
        reference: the name.
        platform: whose image of a multi-platform image is meant; the whole without it.

    Raises:
        NotFoundError: there is no such image, or it is not for the platform.
        RefusedError: the name is local.
    """
    repository = session.source(reference)
    if platform is None:
        return repository.digest_of(reference.target)
    root = repository.resolve(reference.target)
    select = Selection((platform,))
    return choose(repository, root, select, platform, MemoryPlace(), warn=session.warn).digest
