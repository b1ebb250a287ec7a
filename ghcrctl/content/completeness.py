"""A check that a manifest is stored with everything it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.manifest import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


def is_complete(place: Source, descriptor: Descriptor, has: Callable[[Descriptor], bool]) -> bool:
    """Return whether content and its descendants exist; foreign layers may be missing.

    Each digest is checked once so that indexes that list the same indexes repeatedly take linear
    time.

    Args:
        place: source of the manifests.
        descriptor: the content.
        has: returns whether a blob or manifest exists, without its descendants.
    """
    seen: set[Digest] = set()
    queue = [descriptor]
    while queue:
        here = queue.pop()
        if here.digest in seen:
            continue
        seen.add(here.digest)
        if not has(here):
            return False
        if here.is_manifest:
            try:
                children = parse(read_metadata(place, here), here.media_type).children
            except GhcrctlError:
                return False
            queue += [c for c in children if not c.is_foreign and c.digest not in seen]
    return True
