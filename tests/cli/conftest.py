"""Fixtures: a registry and an archive."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.registry_double.fixtures import ghcr, plain_registry

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ghcr", "plain_registry"]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Write a tar archive of one file and return its path."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        member = tarfile.TarInfo("hello")
        member.size = 6
        tar.addfile(member, io.BytesIO(b"hello\n"))
    path = tmp_path / "rootfs.tar"
    path.write_bytes(made.getvalue())
    (tmp_path / "rootfs.tar.gz").write_bytes(_stored(made.getvalue()))
    return str(path)


def _stored(data: bytes) -> bytes:
    """Return an uncompressed gzip stream, equal for all libraries (RFC 1951, 1952)."""
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    block = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF) + data
    return header + block + struct.pack("<II", zlib.crc32(data), len(data))
