"""An OCI image layout in a directory as source and sink.

Other programs read and write the directory too, so no other files are left there.

Spec: OCI image spec 1.1, image-layout.md.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.archive.files import FolderFiles
from ghcrctl.archive.layout import INDEX_FILE, LAYOUT_FILE, LayoutSource, blob_path
from ghcrctl.archive.names import (
    OUR_NAME,
    REF_NAME,
    is_place_specific,
    name_annotations,
    noted_name,
    tag_in,
)
from ghcrctl.content.completeness import is_complete
from ghcrctl.content.provenance import Provenance
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.disk.durability import make_directories, publish, sync_file, write_atomically
from ghcrctl.disk.unfinished_files import unfinished
from ghcrctl.errors import NotFoundError, StoreDamagedError
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.index import LAYOUT, check_layout, read_index, write_index
from ghcrctl.store.locks import exclusive_directory
from ghcrctl.store.scratch import hold_open, scratch_beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class LayoutPlace:
    """A layout as source and sink, with the names in ``org.opencontainers.image.ref.name``.

    Args:
        folder: path of the directory, which is created at the first write.
        called: full name of the image to tag, stored as a second annotation.
        full_names: whether `tag` receives full names. ``ref.name`` is then the tag, or the full
            name if an image with another name has the tag.

    Attributes:
        origins: digest of each full name in its repository.
    """

    def __init__(self, folder: Path, *, called: str = "", full_names: bool = False) -> None:
        self.folder = folder
        self.label = str(folder)
        self.origins: dict[str, Digest] = {}
        self._called = called
        self._full_names = full_names
        self._lock = threading.Lock()

    @property
    def _source(self) -> LayoutSource:
        """The current layout, since other programs may change it."""
        if not os.path.isfile(self.folder / INDEX_FILE):  # noqa: PTH113 false for a name that is too long
            raise NotFoundError(
                f"{self.folder} is not an OCI image layout: {INDEX_FILE} is missing"
            )
        return LayoutSource(FolderFiles(self.folder))

    @property
    def entries(self) -> tuple[Descriptor, ...]:
        """The entries of ``index.json``, in its order.

        Raises:
            NotFoundError: the directory is not a layout.
        """
        return self._source.entries

    def resolve(self, name: str) -> Descriptor:
        """Return the descriptor of a name or digest."""
        return self._source.resolve(name)

    def tags(self) -> Iterator[str]:
        """Yield every name once."""
        yield from self._source.tags()

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset."""
        return FolderFiles(self.folder).open(blob_path(descriptor.digest), offset)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file on disk that has the content."""
        return Provenance(str(self._path(descriptor)))

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Do nothing, since content is never deleted from the directory."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether content exists with its size, for a manifest including its descendants."""
        return is_complete(self, descriptor, self._has)

    def _has(self, descriptor: Descriptor) -> bool:
        with suppress(OSError):
            return self._path(descriptor).stat().st_size == descriptor.size
        return False

    def _path(self, descriptor: Descriptor) -> Path:
        return self.folder / blob_path(descriptor.digest)

    def write(self, content: Content) -> None:
        """Write content to the directory atomically, after verification."""
        descriptor = content.descriptor
        if self.exists(descriptor):
            return
        path = self._path(descriptor)
        aside = scratch_beside(self.folder / descriptor.digest.encoded[:16])
        with disk_errors(f"write to {self.folder}"):
            make_directories(path.parent)
            with unfinished(aside):
                with aside.open("xb") as file, content.open() as stream:
                    hold_open(file.fileno())
                    chunk = stream.read(CHUNK_SIZE)
                    while chunk:
                        file.write(chunk)
                        chunk = stream.read(CHUNK_SIZE)
                    sync_file(file)
                publish(aside, path)

    def tag(self, content: Content, name: str) -> None:
        """Write a manifest and add it to ``index.json`` under a name, or without one.

        Raises:
            StoreDamagedError: content that the manifest refers to is missing.
        """
        self.write(content)
        descriptor = content.descriptor
        if not self.exists(descriptor):
            raise StoreDamagedError(
                f"content that {descriptor.digest} refers to is missing in {self.label}"
            )
        full = name if self._full_names else self._called
        tag = tag_in(name) if self._full_names else name
        entry = replace(descriptor, annotations=self._notes(descriptor, full, tag))
        with disk_errors(f"write to {self.folder}"), self._locked():
            if not check_layout(self.folder / LAYOUT_FILE):
                write_atomically(self.folder / LAYOUT_FILE, LAYOUT)
            self._list(entry)

    def _notes(self, descriptor: Descriptor, full: str, tag: str) -> dict[str, str]:
        """Return the annotations of an entry, including its names."""
        rest = {k: v for k, v in descriptor.annotations.items() if not is_place_specific(k)}
        known = name_annotations(full, self.origins.get(full))
        return rest | known | ({REF_NAME: tag} if tag else {})

    def _list(self, entry: Descriptor) -> None:
        """Add an entry to ``index.json``, or replace the one with its name."""
        path = self.folder / INDEX_FILE
        listed = read_index(path)
        if self._full_names and any(_has_tag_of(entry, old) for old in listed.entries):
            named = {**entry.annotations, REF_NAME: entry.annotations[OUR_NAME]}
            entry = replace(entry, annotations=named)
        kept = [
            raw
            for old, raw in zip(listed.entries, listed.raw_entries, strict=True)
            if not _replaces(entry, old)
        ]
        write_index(path, [*kept, entry.to_json()], listed)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock ``index.json`` against other threads and other ghcrctl processes."""
        with self._lock, disk_errors(f"lock {self.folder}"), exclusive_directory(self.folder):
            yield


def _replaces(new: Descriptor, old: Descriptor) -> bool:
    name, was = new.annotations.get(REF_NAME), old.annotations.get(REF_NAME)
    if not name:
        return not was and old.digest == new.digest
    return was == name or _is_same_image(new, old)


def _is_same_image(new: Descriptor, old: Descriptor) -> bool:
    """Return whether two entries have the same full name."""
    full = noted_name(new.annotations)
    return bool(full) and full in {noted_name(old.annotations), old.annotations.get(REF_NAME)}


def _has_tag_of(new: Descriptor, old: Descriptor) -> bool:
    """Return whether an image with another name has the tag."""
    tag = new.annotations.get(REF_NAME)
    has_tag = tag is not None and tag == old.annotations.get(REF_NAME)
    # An entry that another tool wrote for the same content has no full name.
    loses_name = new.digest != old.digest or bool(noted_name(old.annotations))
    return has_tag and loses_name and not _is_same_image(new, old)
