"""Create a layer from a tar archive, in a temporary file that serves as a source."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard
from ghcrctl.errors import BlobUnknownError, IntegrityError
from ghcrctl.layers.compression import CHUNK_SIZE, Compression, Unpacker, detect
from ghcrctl.layers.compressor import make_compressor
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
    """A compressed layer. ``diff_id`` is the digest of the uncompressed archive."""

    descriptor: Descriptor
    diff_id: Digest


@contextmanager
def temporary_layer_file(root: Path) -> Iterator[Path]:
    """Yield a path for a temporary file next to the store's blobs; delete the file at the end."""
    path = root / "ghcrctl" / scratch_name("import")
    try:
        yield path
    finally:
        discard(path)


def store_layer(stream: Stream, path: Path) -> NewLayer:
    """Read an archive once: keep a gzip stream unchanged, compress everything else."""
    stored = hashlib.sha256()
    with disk_errors(f"write {path}"), path.open("xb") as file:
        hold_open(file.fileno())

        def keep(data: bytes) -> None:
            stored.update(data)
            file.write(data)

        diff_id, _ = write_compressed_layer(stream, keep)
        size = file.tell()
    digest = Digest("sha256", stored.hexdigest())
    return NewLayer(Descriptor(media_types.OCI_LAYER_GZIP, digest, size), diff_id)


def write_compressed_layer(
    stream: Stream,
    keep: Callable[[bytes], None],
    *,
    compression: Compression = Compression.GZIP,
    level: int | None = None,
) -> tuple[Digest, Compression]:
    """Write a layer's bytes as stored: a gzip stream unchanged, everything else compressed.

    Args:
        stream: a tar archive, compressed or not.
        keep: receives the bytes, in order.
        compression: the compression to use; gzip or zstd.
        level: the compression level; by default, the format's own.

    Returns:
        The diff ID, and the compression of the stored bytes.

    Raises:
        IntegrityError: the input is not a tar archive, or is damaged.
    """
    start = _read_start(stream)
    found = detect(start)
    diff = hashlib.sha256()
    check = _TarCheck()

    def inspect(data: bytes) -> None:
        diff.update(data)
        check.feed(data)

    if found is Compression.GZIP:
        _copy_compressed(start, stream, keep, inspect)
    else:
        with make_compressor(compression, keep, level=level) as packer:
            _pack(found, start, stream, packer.write, inspect)
    check.finish()
    diff_id = Digest("sha256", diff.hexdigest())
    return diff_id, Compression.GZIP if found is Compression.GZIP else compression


class _TarCheck:
    """Checks that uncompressed bytes start like a tar archive."""

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
                "the input is not a tar archive" if self._start else "the input is empty",
                hint="create one: tar -c -C DIRECTORY .",
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


def _copy_compressed(
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
    """A source with a single layer, read from its temporary file."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        self._path = path
        self._descriptor = descriptor
        self.label = "the archive"

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether a descriptor describes the new layer."""
        return descriptor.digest == self._descriptor.digest

    def resolve(self, name: str) -> Descriptor:
        """Raise BlobUnknownError: an archive has no names."""
        raise BlobUnknownError(f"the archive has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open the layer at an offset (bytes)."""
        if descriptor.digest != self._descriptor.digest:
            raise BlobUnknownError(f"the archive has no {descriptor.digest}")
        file = self._path.open("rb")
        file.seek(offset)
        return file


def rfc3339(time: datetime) -> str:
    """Format a time as in image configs: in UTC, without trailing zeros."""
    text = f"{time.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".") + "Z"
