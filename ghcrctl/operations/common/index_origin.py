"""Keep indexes whose images are only partly in the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.operations.common.session import Session


def keep_origin(session: Session, source: Source, root: Descriptor, part: Descriptor) -> None:
    """Store the index that a part was pulled from; archives prove the image's digest with it."""
    if part.digest != root.digest and root.is_index:
        session.store.origins.keep(root.digest, read_metadata(source, root))
