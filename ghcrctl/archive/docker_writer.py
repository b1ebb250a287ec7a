"""Writes docker archives in the format of `docker save` from 1.10 to 24.

They have ``manifest.json``, configs and uncompressed layers, for programs that read nothing else.

Source: docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.docker_reader import MANIFEST_FILE
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import DigestMismatchError
from ghcrctl.layers.compression import Compression, Unpacker, detect
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.tar_writer import TarWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.content.streams import Content
    from ghcrctl.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer to write; ``content`` is the layer as stored, maybe compressed."""

    diff_id: Digest
    content: Content


@dataclass(frozen=True, slots=True)
class Image:
    """An image to write.

    Args:
        digest: digest of the config.
        config: raw bytes of the config.
        layers: layers, base first.
        tags: names for ``RepoTags``.
    """

    digest: Digest
    config: bytes
    layers: tuple[Layer, ...]
    tags: tuple[str, ...]


class DockerWriter:
    """A writer of docker archives.

    Args:
        write: called with the bytes of the archive, in order.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._tar = TarWriter(write)
        self._listed: list[dict[str, Any]] = []
        self._written: set[str] = set()

    def add(self, image: Image) -> None:
        """Write an image, except files that are already in the archive.

        Raises:
            IntegrityError: a layer is corrupted.
        """
        config = f"{image.digest.encoded}.json"
        self._once(config, lambda: _Small(image.config))
        for layer in image.layers:
            folder = layer.diff_id.encoded
            if folder not in self._written:
                self._written.add(folder)
                self._tar.add(folder, Member(folder, Kind.DIRECTORY, mode=0o755))
            self._once(_path(layer), lambda: _Unpacked(layer))  # noqa: B023 used at once
        layers = [_path(layer) for layer in image.layers]
        self._listed.append({"Config": config, "RepoTags": list(image.tags), "Layers": layers})

    def finish(self) -> None:
        """Write ``manifest.json`` and the end of the archive."""
        raw = json.dumps(self._listed, separators=(",", ":")).encode()
        self._once(MANIFEST_FILE, lambda: _Small(raw))
        self._tar.finish()

    def _once(self, path: str, make: Callable[[], _Small | _Unpacked]) -> None:
        if path not in self._written:
            self._written.add(path)
            data = make()
            self._tar.add(path, Member(path, Kind.FILE, mode=0o644, size=data.size), data)


def _path(layer: Layer) -> str:
    return f"{layer.diff_id.encoded}/layer.tar"


class _Small:
    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        yield self._data


class _Unpacked:
    """The uncompressed bytes of a layer, read once for their size and again to write them.

    Raises:
        DigestMismatchError: the bytes do not match the diff ID in the config.
    """

    def __init__(self, layer: Layer) -> None:
        self._content = layer.content
        self.size = 0
        hasher = layer.diff_id.hasher()
        for chunk in self.chunks():
            self.size += len(chunk)
            hasher.update(chunk)
        if not layer.diff_id.matches(hasher):
            raise DigestMismatchError(
                f"layer {layer.content.descriptor.digest} does not match its diff ID: "
                f"expected {layer.diff_id}, got {layer.diff_id.algorithm}:{hasher.hexdigest()}"
            )

    def chunks(self) -> Iterator[bytes]:
        with self._content.open() as stream:
            chunk = stream.read(CHUNK_SIZE)
            compression = detect(chunk)
            if compression is Compression.NONE:
                while chunk:
                    yield chunk
                    chunk = stream.read(CHUNK_SIZE)
                return
            unpacker = Unpacker(compression)
            parts: list[bytes] = []
            while chunk:
                for start in range(0, len(chunk), _STEP):
                    unpacker.feed(chunk[start : start + _STEP], parts.append)
                    yield from parts
                    parts.clear()
                chunk = stream.read(CHUNK_SIZE)
            unpacker.finish()


# Input of one decompression step, in bytes; the output may be a thousand times larger.
_STEP = 16 * 1024
