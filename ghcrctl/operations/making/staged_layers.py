"""Compress layers into a folder, and read them from there until they are transferred."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import move
from ghcrctl.disk.removal import discard
from ghcrctl.errors import BlobUnknownError, NoSpaceError, StoreReadOnlyError, UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.layers.compressor import make_compressor
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.common.new_layer import NewLayer
from ghcrctl.operations.making.media_formats import LayerKind, layer_type
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.operations.making.media_formats import Format

    WriteBytes = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class CompressionOptions:
    """The compression of layers.

    Args:
        compression: gzip, zstd or none.
        level: 1 to 9 with gzip, 1 to 19 with zstd; by default, the format's own.
    """

    compression: Compression = Compression.GZIP
    level: int | None = None

    def __post_init__(self) -> None:
        """Check the level.

        Raises:
            UsageError: the level is invalid for the compression.
        """
        if self.level is not None:
            make_compressor(self.compression, bytes, level=self.level, threads=1).abort()

    def layer_type(self, wanted: Format) -> str:
        """Return the media type of a layer with this compression.

        Raises:
            UnsupportedError: the format has no such media type.
        """
        return layer_type(LayerKind(self.compression), wanted)


def read_compression_options(
    compress: Compression | str | None, level: int | None
) -> CompressionOptions | None:
    """Parse compression options; return ``None`` if none is given.

    Raises:
        UsageError: the level is invalid, or is given without a compression.
    """
    if compress is None:
        if level is not None:
            raise UsageError("--level requires --compress")
        return None
    return CompressionOptions(Compression(compress), level)


class StagedLayers:
    """A source of layers in a folder; multiple threads may add layers.

    Args:
        folder: the folder, used only by this source.
    """

    label = "the new layers"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether the folder has a layer."""
        return self._path(descriptor.digest).exists()

    def resolve(self, name: str) -> Descriptor:
        """Raise BlobUnknownError: layers have no names."""
        raise BlobUnknownError(f"{self.label} has no name `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open a layer at an offset (bytes)."""
        try:
            file = self._path(descriptor.digest).open("rb")
        except FileNotFoundError:
            raise BlobUnknownError(f"{self.label} has no {descriptor.digest}") from None
        file.seek(offset)
        return file

    def pack(
        self,
        fill: Callable[[WriteBytes], object],
        how: CompressionOptions,
        media_type: str,
        *,
        threads: int | None = None,
    ) -> NewLayer:
        """Compress one layer.

        Args:
            fill: passes the uncompressed bytes to the function in its argument.
            how: the compression.
            media_type: the media type for the descriptor.
            threads: number of compression threads; by default, one per processor.

        Raises:
            NoSpaceError: the disk is full.
        """
        partial_path = self._folder / f"{os.urandom(8).hex()}.part"
        try:
            with disk_errors(f"write {partial_path}"):
                layer = _write(partial_path, fill, how, threads)
                move(partial_path, self._path(layer.descriptor.digest))
        except (NoSpaceError, StoreReadOnlyError, UsageError) as error:
            error.hint = "choose another temporary directory with: TMPDIR=DIR"
            raise
        finally:
            discard(partial_path)
        return replace(layer, descriptor=replace(layer.descriptor, media_type=media_type))

    def _path(self, digest: Digest) -> Path:
        return self._folder / f"{digest.algorithm}-{digest.encoded}"


def _write(
    path: Path, fill: Callable[[WriteBytes], object], how: CompressionOptions, threads: int | None
) -> NewLayer:
    stored, inside = hashlib.sha256(), hashlib.sha256()
    with path.open("xb") as file:

        def keep(data: bytes) -> None:
            stored.update(data)
            file.write(data)

        with make_compressor(how.compression, keep, level=how.level, threads=threads) as packer:

            def take(data: bytes) -> None:
                inside.update(data)
                packer.write(data)

            fill(take)
        size = file.tell()
    digest = Digest("sha256", stored.hexdigest())
    return NewLayer(Descriptor("", digest, size), Digest("sha256", inside.hexdigest()))
