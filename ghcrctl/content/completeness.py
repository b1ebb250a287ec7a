"""Whether a manifest is in a place with all that it needs."""

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
    """Tell whether content is in a place with all below it; foreign layers may be elsewhere.

    Each piece is looked at once: indexes that list the same indexes again and again would take for
    ever.

    Args:
        place: where manifests are read.
        descriptor: the content.
        has: tells whether one piece is there, whatever it needs.
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
