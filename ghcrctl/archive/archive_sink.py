"""Writes OCI archives that docker can load too.

``index.json`` is OCI's list of images. ``manifest.json`` is docker's (docker's image specification
1.2) and refers to the same files.

Archives are reproducible: files are in the order in which they are written, without times and
owners.
"""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.docker_reader import MANIFEST_FILE
from ghcrctl.archive.layout import INDEX_FILE, LAYOUT_FILE, blob_path
from ghcrctl.archive.names import OUR_NAME, docker_tag, name_annotations
from ghcrctl.content.read_ahead import MIN_READ_AHEAD_SIZE, read_ahead
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import IntegrityError
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.store.index import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform


def omit_nothing(_: Descriptor) -> bool:
    """Return false to keep all content."""
    return False


class ArchiveSink:
    """A sink that writes an archive to a file or pipe.

    Args:
        write: called with the bytes of the archive, in order.
        platform: platform of the image in ``manifest.json``, which cannot list an index.
        leave_out: returns whether to omit content, since the reader of the archive already has it.

    Attributes:
        label: name of the archive in messages.
        origins: digest of each full name in its repository.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        platform: Platform,
        *,
        leave_out: Callable[[Descriptor], bool] = omit_nothing,
    ) -> None:
        self.label = "the archive"
        self.origins: dict[str, Digest] = {}
        self._tar = TarWriter(write)
        self._platform = platform
        self._leave_out = leave_out
        self._folders: set[str] = set()
        self._written: set[Digest] = set()
        self._manifests: dict[Digest, Manifest | Index] = {}
        self._entries: list[Descriptor] = []
        self._is_partial = False
        self._begun: tuple[Digest, _File] | None = None
        self._lock = threading.Lock()

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Do nothing, since content is never deleted from the archive."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether content is in the archive or is omitted."""
        if descriptor.digest in self._written:
            return True
        left_out = self._leave_out(descriptor)
        # An image can be loaded without foreign layers, so the archive is still complete.
        self._is_partial |= left_out and not descriptor.is_foreign
        return left_out

    def write(self, content: Content) -> None:
        """Write content; if it is corrupted, the archive is unusable."""
        descriptor = content.descriptor
        with self._lock:
            if descriptor.digest in self._written:
                return
            if descriptor.is_manifest:
                raw = content.read()
                self._manifests[descriptor.digest] = parse(raw, descriptor.media_type)
                self._put(descriptor, io.BytesIO(raw))
            else:
                with content.open() as stream:
                    self._put_large(descriptor, stream)
            self._written.add(descriptor.digest)

    def _put_large(self, descriptor: Descriptor, stream: Stream) -> None:
        """Write a file; a large one is read and verified in a background thread."""
        if descriptor.size < MIN_READ_AHEAD_SIZE:
            self._put(descriptor, stream)
            return
        with read_ahead(stream) as ahead:
            self._put(descriptor, ahead)

    def _put(self, descriptor: Descriptor, stream: Stream) -> None:
        """Write a file; a second attempt resumes where the first one failed."""
        if self._begun is None:
            self._begun = (descriptor.digest, _File(descriptor.size))
            self._begun[1].stream = stream
            self._file(blob_path(descriptor.digest), self._begun[1])
        else:
            digest, file = self._begun
            if digest != descriptor.digest:
                raise IntegrityError(f"{self.label} ended early in {digest}")
            file.stream = stream
            self._tar.content(file)
        self._begun = None

    def tag(self, content: Content, name: str) -> None:
        """Write a manifest and list it under a full reference, or without a name."""
        self.write(content)
        found = content.descriptor
        notes = name_annotations(name, self.origins.get(name))
        bare = replace(found, annotations=notes, urls=())
        self._entries.append(bare)

    def finish(self) -> None:
        """Write the lists of images and the end of the archive."""
        self._small(LAYOUT_FILE, LAYOUT)
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [entry.to_json() for entry in self._entries],
        }
        self._small(INDEX_FILE, json.dumps(index, separators=(",", ":")).encode())
        listed = [] if self._is_partial else self._docker_list()
        if listed:
            self._small(MANIFEST_FILE, json.dumps(listed, separators=(",", ":")).encode())
        self._tar.finish()

    def _docker_list(self) -> list[dict[str, Any]]:
        """Return docker's list of the complete images, each once with all of its names."""
        images: dict[Digest, dict[str, Any]] = {}
        for entry in self._entries:
            manifest = self._image(self._manifests.get(entry.digest))
            if manifest is None or not self._is_whole(manifest):
                continue
            image = images.setdefault(
                manifest.descriptor.digest,
                {
                    "Config": blob_path(manifest.config.digest),
                    "RepoTags": [],
                    "Layers": [blob_path(layer.digest) for layer in manifest.layers],
                },
            )
            if tag := docker_tag(entry.annotations.get(OUR_NAME, "")):
                image["RepoTags"].append(tag)
        return list(images.values())

    def _image(self, parsed: Manifest | Index | None) -> Manifest | None:
        """Return the image of a manifest; for an index, the image for the platform."""
        if isinstance(parsed, Index):
            chosen = parsed.choose(self._platform) or next(iter(parsed.manifests), None)
            found = self._manifests.get(chosen.digest) if chosen else None
            return found if isinstance(found, Manifest) and found.is_image else None
        return parsed if parsed and parsed.is_image else None

    def _is_whole(self, manifest: Manifest) -> bool:
        return all(child.digest in self._written for child in manifest.children)

    def _small(self, path: str, data: bytes) -> None:
        file = _File(len(data))
        file.stream = io.BytesIO(data)
        self._file(path, file)

    def _file(self, path: str, data: _File) -> None:
        folder = path.rpartition("/")[0]
        self._folder(folder)
        self._tar.add(path, Member(path, Kind.FILE, mode=0o644, size=data.size), data)

    def _folder(self, path: str) -> None:
        """Add the parent directories of a path, which some programs require."""
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            if folder not in self._folders:
                self._folders.add(folder)
                self._tar.add(folder, Member(folder, Kind.DIRECTORY, mode=0o755))


class _File:
    """Content for a `TarWriter`; bytes that were written are skipped in the next attempt.

    Args:
        size: size of the content (bytes).
    """

    stream: Stream

    def __init__(self, size: int) -> None:
        self.size = size
        self._given = 0

    def chunks(self) -> Iterator[bytes]:
        skipped = self._given
        while chunk := self.stream.read(CHUNK_SIZE):
            fresh = chunk[skipped:]
            skipped -= len(chunk) - len(fresh)
            self._given += len(fresh)
            if fresh:
                yield fresh
