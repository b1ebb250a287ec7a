"""Check whether an image exists at its registry or in the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import NotFoundError
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.image_contents import image_of
from ghcrctl.operations.registries.digest import digest_of

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session


def exists(
    session: Session, name: str, *, platform: Platform | None = None, local: bool = False
) -> Digest | None:
    """Resolve a name; return ``None`` if the image does not exist.

    Args:
        session: the run.
        name: ``NAME[:TAG|@DIGEST]``; for a local image also its ID.
        platform: the platform that the image must have.
        local: whether to look in the local store, without network access.

    Raises:
        AuthError: the registry requires another credential, so the result is unknown.
        NetworkError: the registry cannot be reached.
        RefusedError: the name is local, but the registry should be checked.
    """
    try:
        if local:
            found = find(session, name).record.descriptor
            if platform:
                blobs = session.store.blobs
                image_of(blobs, found, platform, exact=True, warn=session.warn)
            return found.digest
        return digest_of(session, session.parse(name).tagged(), platform=platform)
    except NotFoundError:
        return None
