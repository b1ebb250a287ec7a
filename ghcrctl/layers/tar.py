"""Detection of tar archives."""

from __future__ import annotations

import tarfile

BLOCK_SIZE = 512


def is_tar(start: bytes) -> bool:
    """Return whether bytes, at least one block, are the start of a tar archive.

    An archive without members has only blocks of zeros.
    """
    if len(start) < BLOCK_SIZE:
        return False
    block = start[:BLOCK_SIZE]
    if not block.strip(b"\0"):
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
