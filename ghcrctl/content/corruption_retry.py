"""Repeated fetches of content that arrived corrupted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class Doubts:
    """A thread-safe count of corrupted transfers from one place, per digest.

    A bit may flip in transit, so content is fetched again, or from each of its other addresses,
    before it counts as wrong.
    """

    def __init__(self) -> None:
        self._wrong: Counter[Digest] = Counter()
        self._lock = threading.Lock()

    def note(self, descriptor: Descriptor) -> bool:
        """Note that content was wrong; return whether to fetch it again."""
        with self._lock:
            self._wrong[descriptor.digest] += 1
            return self._wrong[descriptor.digest] <= max(1, len(descriptor.urls) - 1)

    def turned(self, descriptor: Descriptor) -> Descriptor:
        """Return a descriptor whose first address is the next one after those that were wrong."""
        if not descriptor.urls:
            return descriptor
        start = self._wrong[descriptor.digest] % len(descriptor.urls)
        return replace(descriptor, urls=descriptor.urls[start:] + descriptor.urls[:start])
