"""Content whose digest is known at its end only, on its way into the store.

What belongs here: writing it aside and counting. What does not: giving it its name (``store``).
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.store.disk_errors import disk_errors


class Arrival:
    """One piece of content.

    Args:
        file: where its bytes go.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take some more bytes.

        Raises:
            StoreError: the disk does not.
        """
        self._hash.update(data)
        self._size += len(data)
        with disk_errors("write new content into the image store", in_store=True):
            self._file.write(data)

    def descriptor(self, media_type: str) -> Descriptor:
        """Describe what arrived so far."""
        return Descriptor(media_type, Digest("sha256", self._hash.hexdigest()), self._size)
