"""Archives as they are written: OCI image layouts that docker's programs read as well.

What belongs here: the order of an archive, and its two tables of contents. ``index.json`` is OCI's;
``manifest.json`` is what `docker load` and others look for (docker's image specification 1.2), and
points at the same files. What does not: which images are saved (``operations``).

The same images give the same bytes: content comes in the order it is written, without times and
owners.
"""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.docker import MANIFEST_FILE
from ghcrctl.archive.layout import INDEX_FILE, LAYOUT_FILE, blob_path
from ghcrctl.archive.names import OUR_NAME, docker_tag, name_annotations
from ghcrctl.content.read_ahead import WORTHWHILE, reading_ahead
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


def leave_nothing_out(_: Descriptor) -> bool:
    """Keep everything."""
    return False


class ArchiveSink:
    """An archive on its way to a file or a pipe. Its one writer must not be used by two threads.

    Args:
        write: takes the bytes, in order.
        platform: whose image of an index ``manifest.json`` lists, which can list one only.
        leave_out: tells what is not put in, since whoever reads the archive has it.

    Attributes:
        label: the archive, as the user knows it.
        origins: the digests by which the repositories of names know their images.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        platform: Platform,
        *,
        leave_out: Callable[[Descriptor], bool] = leave_nothing_out,
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
        """Do nothing: what is in the archive stays."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is in the archive, or is to be left out."""
        if descriptor.digest in self._written:
            return True
        left_out = self._leave_out(descriptor)
        # What an image can be loaded without anyhow, makes no archive partial.
        self._is_partial |= left_out and not descriptor.is_foreign
        return left_out

    def write(self, content: Content) -> None:
        """Put content in; when its bytes turn out to be wrong, the archive is to be thrown away."""
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
        """Write a file; of a large one, the next bytes are read and verified meanwhile."""
        if descriptor.size < WORTHWHILE:
            self._put(descriptor, stream)
            return
        with reading_ahead(stream) as ahead:
            self._put(descriptor, ahead)

    def _put(self, descriptor: Descriptor, stream: Stream) -> None:
        """Write a file; a second try goes on where the first one broke off."""
        if self._begun is None:
            self._begun = (descriptor.digest, _File(descriptor.size))
            self._begun[1].stream = stream
            self._file(blob_path(descriptor.digest), self._begun[1])
        else:
            digest, file = self._begun
            if digest != descriptor.digest:
                raise IntegrityError(f"{self.label} broke off within {digest}")
            file.stream = stream
            self._tar.content(file)
        self._begun = None

    def tag(self, content: Content, name: str) -> None:
        """Put a manifest in, and list it under a full reference, or without a name."""
        self.write(content)
        found = content.descriptor
        notes = name_annotations(name, self.origins.get(name))
        bare = replace(found, annotations=notes, urls=())
        self._entries.append(bare)

    def finish(self) -> None:
        """Write the tables of contents, and end the archive."""
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
        """Make docker's list of what is here whole, each image once with all its names."""
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
        """Return the image that stands for an index where only one can."""
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
        """Add the folders of a path: some programs miss them."""
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            if folder not in self._folders:
                self._folders.add(folder)
                self._tar.add(folder, Member(folder, Kind.DIRECTORY, mode=0o755))


class _File:
    """Content as the writer of tar archives takes it; what was given once is not given again.

    Args:
        size: bytes.
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
