"""A blob whose digest is only known at its end, such as an upload or a build result."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.store.disk_errors import disk_errors


class IncomingBlob:
    """A blob that is being written, hashed and counted.

    Args:
        file: the file for its bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            StoreError: the disk is full or fails.
        """
        self._hash.update(data)
        self._size += len(data)
        with disk_errors("write new content into the image store", in_store=True):
            self._file.write(data)

    def descriptor(self, media_type: str) -> Descriptor:
        """Return the descriptor of the bytes written so far."""
        return Descriptor(media_type, Digest("sha256", self._hash.hexdigest()), self._size)
