"""New layers: a tar archive, packed as a layer is, beside the store until the store takes it.

What belongs here: reading the archive once, packing it, and offering it as a source. What does not:
the image around it.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard
from ghcrctl.errors import BlobUnknownError, IntegrityError
from ghcrctl.layers.compression import CHUNK_SIZE, Compression, Unpacker, detect
from ghcrctl.layers.compressor import make_packer
from ghcrctl.layers.tar import BLOCK_SIZE, is_tar
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.scratch import hold_open, scratch_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from ghcrctl.content.ports import Stream


@dataclass(frozen=True, slots=True)
class NewLayer:
    """The archive, packed. ``diff_id``: of what is inside."""

    descriptor: Descriptor
    diff_id: Digest


@contextmanager
def staged(root: Path) -> Iterator[Path]:
    """Give a file beside the store's blobs that is gone afterwards."""
    path = root / "ghcrctl" / scratch_name("import")
    try:
        yield path
    finally:
        discard(path)


def receive_layer(stream: Stream, path: Path) -> NewLayer:
    """Read the archive once: keep a gzip stream as it is, pack everything else."""
    stored = hashlib.sha256()
    with disk_errors(f"write {path}"), path.open("xb") as file:
        hold_open(file.fileno())

        def keep(data: bytes) -> None:
            stored.update(data)
            file.write(data)

        diff_id, _ = pack_layer(stream, keep)
        size = file.tell()
    digest = Digest("sha256", stored.hexdigest())
    return NewLayer(Descriptor(media_types.OCI_LAYER_GZIP, digest, size), diff_id)


def pack_layer(
    stream: Stream,
    keep: Callable[[bytes], None],
    *,
    compression: Compression = Compression.GZIP,
    level: int | None = None,
) -> tuple[Digest, Compression]:
    """Give a layer's bytes as they are stored: a gzip stream as it is, all else packed.

    Args:
        stream: a tar archive, plain or packed.
        keep: takes the bytes, in order.
        compression: how it is packed; gzip or zstd.
        level: how hard; the format's default where it is not given.

    Returns:
        The diff id, and how the bytes are packed.

    Raises:
        IntegrityError: it is no tar archive, or is damaged.
    """
    start = _read_start(stream)
    found = detect(start)
    diff = hashlib.sha256()
    check = _TarCheck()

    def look_inside(data: bytes) -> None:
        diff.update(data)
        check.feed(data)

    if found is Compression.GZIP:
        _keep_packed(start, stream, keep, look_inside)
    else:
        with make_packer(compression, keep, level=level) as packer:
            _pack(found, start, stream, packer.write, look_inside)
    check.finish()
    diff_id = Digest("sha256", diff.hexdigest())
    return diff_id, Compression.GZIP if found is Compression.GZIP else compression


class _TarCheck:
    """Looks whether unpacked bytes begin as a tar archive does."""

    def __init__(self) -> None:
        self._start = b""
        self._checked = False

    def feed(self, data: bytes) -> None:
        if self._checked:
            return
        self._start += data[:BLOCK_SIZE]
        if len(self._start) >= BLOCK_SIZE:
            self.finish()

    def finish(self) -> None:
        if not self._checked and not is_tar(self._start):
            raise IntegrityError(
                "the input is no tar archive" if self._start else "the input is empty",
                hint="make one with: tar -c -C DIRECTORY .",
            )
        self._checked = True


def _read_start(stream: Stream) -> bytes:
    start = b""
    while len(start) < BLOCK_SIZE:
        chunk = stream.read(CHUNK_SIZE)
        if not chunk:
            break
        start += chunk
    return start


def _keep_packed(
    start: bytes, stream: Stream, keep: Callable[[bytes], None], inside: Callable[[bytes], None]
) -> None:
    unpacker = Unpacker(Compression.GZIP)
    for chunk in _chunks(start, stream):
        keep(chunk)
        unpacker.feed(chunk, inside)
    unpacker.finish()


def _pack(
    found: Compression,
    start: bytes,
    stream: Stream,
    pack: Callable[[bytes], None],
    inside: Callable[[bytes], None],
) -> None:
    def take(data: bytes) -> None:
        inside(data)
        pack(data)

    if found is Compression.NONE:
        for chunk in _chunks(start, stream):
            take(chunk)
    else:
        unpacker = Unpacker(found)
        for chunk in _chunks(start, stream):
            unpacker.feed(chunk, take)
        unpacker.finish()


def _chunks(start: bytes, stream: Stream) -> Iterator[bytes]:
    chunk = start
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK_SIZE)


class StagedLayer:
    """The packed archive as a source."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        self._path = path
        self._descriptor = descriptor
        self.label = "the archive"

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether this is the one layer."""
        return descriptor.digest == self._descriptor.digest

    def resolve(self, name: str) -> Descriptor:
        """Refuse: an archive has no names."""
        raise BlobUnknownError(f"the archive has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open the one layer."""
        if descriptor.digest != self._descriptor.digest:
            raise BlobUnknownError(f"the archive has no {descriptor.digest}")
        file = self._path.open("rb")
        file.seek(offset)
        return file


def rfc3339(moment: datetime) -> str:
    """Write a moment as configs have it, in UTC and no longer than it must be."""
    text = f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".") + "Z"
