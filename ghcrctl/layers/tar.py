"""Tar archives, as layers are.

What belongs here: recognising one.
"""

from __future__ import annotations

import tarfile

BLOCK_SIZE = 512


def is_tar(start: bytes) -> bool:
    """Tell whether bytes are the start of a tar archive, of which one block is enough.

    An archive without members, which is blocks of zeros, is one too.
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
