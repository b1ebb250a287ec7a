"""Retries for content that arrived corrupted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class CorruptionCount:
    """A thread-safe count of corrupted transfers from one source, by digest.

    A bit may flip in transit, so content is fetched again, or from each of its other URLs, before
    it is reported as corrupted.
    """

    def __init__(self) -> None:
        self._counts: Counter[Digest] = Counter()
        self._lock = threading.Lock()

    def record(self, descriptor: Descriptor) -> bool:
        """Record that content was corrupted; return whether to fetch it again."""
        with self._lock:
            self._counts[descriptor.digest] += 1
            return self._counts[descriptor.digest] <= max(1, len(descriptor.urls) - 1)

    def next_urls(self, descriptor: Descriptor) -> Descriptor:
        """Return a descriptor that starts with the URL after those that sent corrupted content."""
        if not descriptor.urls:
            return descriptor
        start = self._counts[descriptor.digest] % len(descriptor.urls)
        return replace(descriptor, urls=descriptor.urls[start:] + descriptor.urls[:start])
