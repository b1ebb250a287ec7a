"""Second chances for content that was wrong on its way.

What belongs here: how often content is fetched again, and where. What does not: noticing that bytes
are wrong (``streams``).
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class Doubts:
    """How often the bytes of each content were wrong at one place; threads may share it.

    A bit that flips on the way is not the place's fault: content is fetched once more there, or
    from each of its other addresses, before it counts as wrong.
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
