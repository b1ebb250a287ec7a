"""Reads OCI image layouts from directories and archives.

Spec: OCI image spec 1.1, image-layout.md.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.archive.files import read_metadata_file
from ghcrctl.archive.names import REF_NAME, noted_name
from ghcrctl.content.provenance import Provenance
from ghcrctl.errors import (
    BlobUnknownError,
    IntegrityError,
    InvalidManifestError,
    ManifestUnknownError,
)
from ghcrctl.oci.digest import ENCODED_LENGTH
from ghcrctl.oci.documents import load_object
from ghcrctl.oci.manifest import MAX_DESCRIPTORS, parse_index
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.oci.reference import DEFAULT_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.archive.files import Files
    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest

INDEX_FILE = "index.json"
LAYOUT_FILE = "oci-layout"
_DIGESTS = tuple(f"{algorithm}:" for algorithm in ENCODED_LENGTH)
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def blob_path(digest: Digest) -> str:
    """Return the path of a blob in a layout."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def is_layout(files: Files) -> bool:
    """Return whether an archive is a layout."""
    return files.size(INDEX_FILE) is not None


class LayoutSource:
    """A layout as a source, with the names in ``index.json``.

    Args:
        files: files of the layout.

    Raises:
        InvalidManifestError: the layout is invalid or has an unsupported version.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        if files.size(LAYOUT_FILE) is not None:
            with _file(files, LAYOUT_FILE):
                document = load_object(read_metadata_file(files, LAYOUT_FILE), LAYOUT_FILE)
            if document.get("imageLayoutVersion") != "1.0.0":
                raise InvalidManifestError(
                    f"unsupported OCI image layout {files.label}: expected version 1.0.0"
                )
        with _file(files, INDEX_FILE):
            self.entries = read_entries(read_metadata_file(files, INDEX_FILE))

    @property
    def label(self) -> str:
        """The name of this place in messages."""
        return self._files.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file on disk that has the content."""
        return Provenance(self._files.where(blob_path(descriptor.digest)))

    def resolve(self, name: str) -> Descriptor:
        """Return the descriptor of a name or digest in ``index.json``.

        If only one image has no name, it is ``latest``.
        """
        is_digest = name.startswith(_DIGESTS)
        # A `ref.name` that looks like a digest is ignored.
        for name_in in (_digest,) if is_digest else (_ref_name, _full_name):
            for entry in reversed(self.entries):
                if name and name == name_in(entry):
                    return entry
        bare = {e.digest: e for e in self.entries if not e.annotations.get(REF_NAME)}
        if name == DEFAULT_TAG and len(bare) == 1:
            return next(iter(bare.values()))
        raise ManifestUnknownError(f"{self.label} has no image `{name}`")

    def tags(self) -> Iterator[str]:
        """Yield every name once."""
        names = (entry.annotations.get(REF_NAME) for entry in self.entries)
        yield from dict.fromkeys(name for name in names if name)

    def has(self, descriptor: Descriptor) -> bool:
        """Return whether content exists, without reading it."""
        return self._files.size(blob_path(descriptor.digest)) is not None

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset."""
        path = blob_path(descriptor.digest)
        if self._files.size(path) is None:
            raise BlobUnknownError(f"{self.label} has no blob {descriptor.digest}")
        return self._files.open(path, offset)


def _digest(entry: Descriptor) -> str:
    return str(entry.digest)


def _ref_name(entry: Descriptor) -> str:
    return entry.annotations.get(REF_NAME, "")


def _full_name(entry: Descriptor) -> str:
    return noted_name(entry.annotations)


@contextmanager
def _file(files: Files, path: str) -> Iterator[None]:
    """Add the file to errors about it."""
    try:
        yield
    except IntegrityError as error:
        Provenance(files.where(path)).mark(error)
        raise


def read_entries(raw: bytes) -> tuple[Descriptor, ...]:
    """Return the entries of ``index.json``.

    Tools in Go may write ``null``, or omit the field, for an empty list.

    Raises:
        InvalidManifestError: the file is not an index.
    """
    data = load_object(raw, INDEX_FILE)
    if data.get("manifests") is None and not {"config", "layers"} & data.keys():
        return ()
    entries = parse_index(raw, OCI_INDEX).manifests
    if len(entries) > MAX_DESCRIPTORS:
        raise InvalidManifestError(f"{INDEX_FILE} has more than {MAX_DESCRIPTORS} entries")
    return entries
