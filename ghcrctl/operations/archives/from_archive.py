"""Find the images of an archive of any format, and prepare them to be copied.

The layers of Docker archives are uncompressed and have no manifests, so they are compressed into
the store first, and manifests are created for them.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.archive import docker_reader, legacy
from ghcrctl.archive.layout import INDEX_FILE, LayoutSource, blob_path, is_layout
from ghcrctl.archive.list_agreement import check_agreement, unlisted_names
from ghcrctl.archive.names import ORIGIN, REF_NAME, name_of, short_names
from ghcrctl.archive.open_archive import open_archive
from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.content.thread_waits import wait_for_result
from ghcrctl.content.threads import ThreadPool
from ghcrctl.errors import (
    DigestMismatchError,
    IntegrityError,
    InterruptedByUserError,
    InvalidDigestError,
    InvalidManifestError,
    NotFoundError,
)
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import parse
from ghcrctl.operations.archives.archive_names import ArchiveNames, NamedImage
from ghcrctl.operations.common.new_layer import write_compressed_layer
from ghcrctl.store.origins import lists
from ghcrctl.transfer.events import Finished, Outcome, Progressed, Started, ignore
from ghcrctl.transfer.plan import Action, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ghcrctl.archive.docker_reader import DockerImage
    from ghcrctl.archive.files import Files
    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Event, Observer


# At this level, gzip layers are as large as docker's and skopeo's, in two thirds of the time of
# our default level; archives are large, and the user is waiting.
_LEVELS = {Compression.GZIP: 3, Compression.ZSTD: None}
_LAYERS = {
    Compression.GZIP: media_types.DOCKER_LAYER_GZIP,
    Compression.ZSTD: media_types.OCI_LAYER_ZSTD,
}
_IN_OCI = {media_types.DOCKER_LAYER_GZIP: media_types.OCI_LAYER_GZIP}


@dataclass(frozen=True, slots=True)
class OpenedArchive:
    """The images of one archive.

    Args:
        source: the source of their content.
        images: the images, in the archive's order; a name belongs to one image only.
        has: returns whether the archive has some content.
        packed: layers that were compressed into the store for them.
    """

    source: Source
    images: tuple[NamedImage, ...]
    has: Callable[[Descriptor], bool]
    packed: tuple[Digest, ...] = field(default=())


@contextmanager
def open_image_archive(
    session: Session,
    archive: Path | Stream,
    observer: Observer = ignore,
    compression: Compression = Compression.GZIP,
) -> Iterator[OpenedArchive]:
    """Open an archive of any format and find its images.

    The layers of Docker archives are compressed into the store. They are kept only if an image
    uses them at the end of the run.

    Args:
        session: the run.
        archive: a file, a directory, or a stream of bytes.
        observer: receives progress events of the compression.
        compression: the compression of such layers; gzip or zstd.

    Raises:
        NotFoundError: the file does not exist.
        IntegrityError: the file is not an image archive, or is damaged.
    """
    store = session.store
    store.prepare()
    with open_archive(archive, store.root / "ghcrctl") as files:
        if docker_reader.has_both_lists(files):
            check_agreement(files)
        if docker_reader.is_docker(files):
            yield _DockerArchive(session, files, observer, compression).read(
                docker_reader.read_images(files)
            )
        elif is_layout(files):
            yield _layout(session, files)
        elif legacy.is_legacy(files):
            yield _DockerArchive(session, files, observer, compression).read(
                legacy.read_images(files)
            )
        else:
            raise InvalidManifestError(
                f"{files.label} is not an image archive: it has no manifest.json or index.json",
                hint="to import a tar archive of files, run: ghcrctl import FILE NAME",
            )


def _layout(session: Session, files: Files) -> OpenedArchive:
    source = LayoutSource(files)
    short = short_names(docker_reader.listed_names(files))
    names = ArchiveNames(source.label, session.warn, local_names=session.has_local_names)
    listed: set[str] = set()
    for entry in source.entries:
        if not entry.is_manifest:
            session.warn(
                f"{source.label}: skipped {entry.digest}: not an image ({entry.media_type})"
            )
            continue
        root = _without_annotations(entry)
        name = name_of(entry, short)
        listed.add(name)
        tag = "" if name else entry.annotations.get(REF_NAME, "")
        origin, index = _origin(source, entry, files) if name else (None, b"")
        names.add(NamedImage(root, name, origin, tag, index))
    for name, entry_of in unlisted_names(files, source, listed).items():
        if entry_of is None:
            session.warn(f"{source.label}: skipped {name}: {INDEX_FILE} does not list that image")
        else:
            names.add(NamedImage(_without_annotations(entry_of), name))
    if source.entries and not names.images:
        raise InvalidManifestError(f"{source.label} has no image")
    return OpenedArchive(source, names.images, source.has)


def _without_annotations(entry: Descriptor) -> Descriptor:
    """Return a descriptor without annotations: they belong to this archive only."""
    return Descriptor(entry.media_type, entry.digest, entry.size)


def _origin(source: LayoutSource, entry: Descriptor, files: Files) -> tuple[Digest | None, bytes]:
    """Return the digest of the image in its repository, if the archive proves it.

    The proof is an index with this digest that lists the image.
    """
    try:
        claimed = Digest.parse(entry.annotations.get(ORIGIN, ""))
        if claimed == entry.digest:
            return claimed, b""
        size = files.size(blob_path(claimed))
        if size is None:
            return None, b""
        index = read_metadata(source, Descriptor(media_types.OCI_INDEX, claimed, size))
        root = parse(read_metadata(source, entry), entry.media_type)
    except (InvalidDigestError, IntegrityError, NotFoundError):
        return None, b""
    return (claimed, index) if lists(index, root) else (None, b"")


class _DockerArchive:
    """A Docker archive: its images have configs and layers, but no manifests yet."""

    def __init__(
        self, session: Session, files: Files, observer: Observer, compression: Compression
    ) -> None:
        self._session = session
        self._store = session.store
        self._files = files
        self._observer = observer
        self._compression = compression
        self._observing = threading.Lock()
        self._stopped = threading.Event()
        self._memory = MemoryPlace(files.label)
        self._packed: dict[Digest, None] = {}

    def read(self, images: Sequence[DockerImage]) -> OpenedArchive:
        """Compress each layer once, and create the manifests."""
        try:
            layers = self._pack_all(images)
            names = ArchiveNames(
                self._files.label,
                self._session.warn,
                local_names=self._session.has_local_names,
            )
            for image in images:
                root = self._manifest(image, layers)
                for name in image.names or ("",):
                    names.add(NamedImage(root, name))
        except BaseException:
            self.forget()
            raise
        source = Overlay(self._memory, self._store.blobs)
        return OpenedArchive(source, names.images, _is_stored, tuple(self._packed))

    def forget(self) -> None:
        """Discard the layers that were compressed."""
        for digest in self._packed:
            self._store.discard(digest)

    def _pack_all(self, images: Sequence[DockerImage]) -> dict[tuple[str, Digest], Descriptor]:
        """Compress all layers: in parallel, and each with multiple threads."""
        wanted = {pair for image in images for pair in image.contents}
        order = sorted(wanted, key=lambda pair: -(self._files.size(pair[0]) or 0))
        with ThreadPool(min(4, os.cpu_count() or 1), "pack") as pool:
            futures = [pool.submit(self._pack, *pair) for pair in order]
            try:
                return {pair: wait_for_result(f) for pair, f in zip(order, futures, strict=True)}
            except BaseException:
                self._stopped.set()
                for future in futures:
                    future.cancel()
                raise

    def _pack(self, path: str, diff_id: Digest) -> Descriptor:
        size = self._files.size(path)
        if size is None:
            raise InvalidManifestError(f"{self._files.label} has no layer {path}")
        step = Step(Descriptor(media_types.OCI_LAYER, diff_id, size), Action.COPY, is_layer=True)
        self._notify(Started(step))
        stream = _WatchedStream(self._files.open(path), partial(self._watch, step))
        try:
            with self._store.incoming_blob() as arrival:
                found, compression = write_compressed_layer(
                    stream,
                    arrival.write,
                    compression=self._compression,
                    level=_LEVELS[self._compression],
                )
                if found != diff_id:
                    raise DigestMismatchError(
                        f"the layer {path} in {self._files.label} does not match the image's "
                        f"config: expected {diff_id}, got {found}"
                    )
        finally:
            stream.close()
        layer = arrival.descriptor(_LAYERS[compression])
        self._packed[layer.digest] = None
        self._notify(Finished(step, Outcome.COPIED))
        return layer

    def _watch(self, step: Step, position: int) -> None:
        if self._stopped.is_set():
            raise InterruptedByUserError("interrupted")
        self._notify(Progressed(step, position))

    def _notify(self, event: Event) -> None:
        with self._observing:
            self._observer(event)

    def _manifest(
        self, image: DockerImage, layers: dict[tuple[str, Digest], Descriptor]
    ) -> Descriptor:
        """Create the manifest that docker's engine would push for this image.

        Docker's format has no zstd layers; such an image gets an OCI manifest.
        """
        listed = [
            image.foreign.get(diff_id) or layers[path, diff_id]
            for path, diff_id in zip(image.layers, image.diff_ids, strict=True)
        ]
        kind, of_config = media_types.DOCKER_MANIFEST, media_types.DOCKER_CONFIG
        if any(layer.media_type == media_types.OCI_LAYER_ZSTD for layer in listed):
            kind, of_config = media_types.OCI_MANIFEST, media_types.OCI_CONFIG
            listed = [
                replace(d, media_type=_IN_OCI.get(d.media_type, d.media_type)) for d in listed
            ]
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": self._memory.add(image.config, of_config).to_json(),
            "layers": [layer.to_json() for layer in listed],
        }
        return self._memory.add(json.dumps(manifest, indent=3).encode(), kind)


def _is_stored(descriptor: Descriptor) -> bool:
    """Return whether content was loaded; foreign layers stay with their publisher."""
    return not descriptor.is_foreign


class _WatchedStream:
    """A stream that reports its position."""

    def __init__(self, stream: Stream, watch: Callable[[int], None]) -> None:
        self._stream = stream
        self._watch = watch
        self._position = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        self._watch(self._position)
        return data

    def close(self) -> None:
        self._stream.close()
