"""Import: an image of one layer out of a tar archive.

What belongs here: reading the archive once, and the config and manifest around it. What does not:
unpacking (``layers``), storing (``store``, ``transfer``).
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.errors import BlobUnknownError, IntegrityError
from ghcrctl.layers.compression import CHUNK_SIZE, Compression, Unpacker, detect
from ghcrctl.layers.packing import make_packer
from ghcrctl.layers.tar import BLOCK_SIZE, is_tar
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.changes import apply_changes
from ghcrctl.store.files import disk_errors
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.store.store import Store


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The new image. ``name``: empty where none was given."""

    image_id: Digest
    descriptor: Descriptor
    name: str


@dataclass(frozen=True, slots=True)
class _Layer:
    """The archive, packed. ``diff_id``: of what is inside."""

    descriptor: Descriptor
    diff_id: Digest


def import_image(  # noqa: PLR0913 what docker's command takes
    store: Store,
    stream: Stream,
    *,
    reference: Reference | None,
    changes: Sequence[str] = (),
    message: str = "",
    platform: Platform,
    created: datetime | None = None,
) -> ImportResult:
    """Make an image of a tar archive.

    It is written in the OCI format, which every current tool reads; docker included.

    Args:
        store: where the image goes.
        stream: the archive, plain or packed; read once.
        reference: its name, tagged; without one it is dangling, as with docker.
        changes: Dockerfile instructions for the config.
        message: the comment in its history.
        platform: what it runs on.
        created: aware; now where it is not given.

    Raises:
        UsageError: a change is malformed.
        IntegrityError: the stream is no tar archive, or is damaged; nothing is stored.
    """
    config = apply_changes({}, changes)
    store.prepare()
    with _staged(store) as path:
        layer = _receive(stream, path)
        place = MemoryPlace("the archive")
        image = _config(layer, config, message, platform, created or datetime.now(timezone.utc))
        raw = json.dumps(image, sort_keys=True, separators=(",", ":")).encode()
        config_descriptor = place.add(raw, media_types.OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": config_descriptor.to_json(),
            "layers": [layer.descriptor.to_json()],
        }
        root = place.add(json.dumps(manifest, indent=2).encode(), media_types.OCI_MANIFEST)
        name = str(reference) if reference else ""
        source = Overlay(place, _StagedLayer(path, layer.descriptor))
        execute(make_plan(source, StorePlace(store), root, names=(name,)))
    return ImportResult(config_descriptor.digest, root, name)


@contextmanager
def _staged(store: Store) -> Iterator[Path]:
    """Give a file beside the store's blobs that is gone afterwards."""
    path = store.root / "ghcrctl" / f"import.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _receive(stream: Stream, path: Path) -> _Layer:
    """Read the archive once: keep a gzip stream as it is, pack everything else."""
    start = _read_start(stream)
    compression = detect(start)
    diff = hashlib.sha256()
    stored = hashlib.sha256()
    with disk_errors(f"write {path}"), path.open("xb") as file:

        def keep(data: bytes) -> None:
            stored.update(data)
            file.write(data)

        check = _TarCheck()

        def look_inside(data: bytes) -> None:
            diff.update(data)
            check.feed(data)

        if compression is Compression.GZIP:
            _keep_packed(start, stream, keep, look_inside)
        else:
            _pack(compression, start, stream, keep, look_inside)
        check.finish()
        size = file.tell()
    digest = Digest("sha256", stored.hexdigest())
    return _Layer(
        Descriptor(media_types.OCI_LAYER_GZIP, digest, size), Digest("sha256", diff.hexdigest())
    )


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
    compression: Compression,
    start: bytes,
    stream: Stream,
    keep: Callable[[bytes], None],
    inside: Callable[[bytes], None],
) -> None:
    with make_packer(Compression.GZIP, keep) as packer:

        def take(data: bytes) -> None:
            inside(data)
            packer.write(data)

        if compression is Compression.NONE:
            for chunk in _chunks(start, stream):
                take(chunk)
        else:
            unpacker = Unpacker(compression)
            for chunk in _chunks(start, stream):
                unpacker.feed(chunk, take)
            unpacker.finish()


def _chunks(start: bytes, stream: Stream) -> Iterator[bytes]:
    chunk = start
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK_SIZE)


def _config(
    layer: _Layer, config: dict[str, object], message: str, platform: Platform, created: datetime
) -> dict[str, object]:
    """Put the image config together, as docker import makes it (OCI image spec 1.1, config.md)."""
    moment = (
        f"{created.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
    )
    return {
        **platform.to_json(),
        "created": moment,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id)]},
        "history": [{"created": moment, "comment": message}],
    }


class _StagedLayer:
    """The packed archive as a source."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        self._path = path
        self._descriptor = descriptor
        self.label = "the archive"

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
