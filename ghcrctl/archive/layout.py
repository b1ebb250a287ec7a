"""OCI image layouts as sources, wherever their files are.

What belongs here: ``index.json``, ``oci-layout`` and ``blobs/``, read. What does not: writing them
(`layout_folder`, `tar_sink`), and which names of theirs are ours (`names`).

Spec: OCI image spec 1.1, image-layout.md.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.archive.files import read_small
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
    """Return where a layout has the content of a digest."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def is_layout(files: Files) -> bool:
    """Tell whether files are those of a layout."""
    return files.size(INDEX_FILE) is not None


class LayoutSource:
    """A layout as a source; its names are those that ``index.json`` has.

    Args:
        files: where it is.

    Raises:
        InvalidManifestError: it is no layout of a version that we know.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        if files.size(LAYOUT_FILE) is not None:
            with _file(files, LAYOUT_FILE):
                said = load_object(read_small(files, LAYOUT_FILE), LAYOUT_FILE)
            if said.get("imageLayoutVersion") != "1.0.0":
                raise InvalidManifestError(f"{files.label} is no OCI image layout of version 1.0.0")
        with _file(files, INDEX_FILE):
            self.entries = read_entries(read_small(files, INDEX_FILE))

    @property
    def label(self) -> str:
        """How people know this place."""
        return self._files.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that has content: the archive, or a file of the directory."""
        return Provenance(self._files.where(blob_path(descriptor.digest)))

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name or a digest of ``index.json``.

        The only image without a name counts as ``latest``.
        """
        is_digest = name.startswith(_DIGESTS)
        # A name in `ref.name` is never taken for a digest.
        for name_in in (_digest,) if is_digest else (_ref_name, _full_name):
            for entry in reversed(self.entries):
                if name and name == name_in(entry):
                    return entry
        bare = {e.digest: e for e in self.entries if not e.annotations.get(REF_NAME)}
        if name == DEFAULT_TAG and len(bare) == 1:
            return next(iter(bare.values()))
        raise ManifestUnknownError(f"{self.label} has no `{name}`")

    def tags(self) -> Iterator[str]:
        """Yield every name once."""
        names = (entry.annotations.get(REF_NAME) for entry in self.entries)
        yield from dict.fromkeys(name for name in names if name)

    def has(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here; its bytes are not looked at."""
        return self._files.size(blob_path(descriptor.digest)) is not None

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte."""
        path = blob_path(descriptor.digest)
        if self._files.size(path) is None:
            raise BlobUnknownError(f"{self.label} has no {descriptor.digest}")
        return self._files.open(path, offset)


def _digest(entry: Descriptor) -> str:
    return str(entry.digest)


def _ref_name(entry: Descriptor) -> str:
    return entry.annotations.get(REF_NAME, "")


def _full_name(entry: Descriptor) -> str:
    return noted_name(entry.annotations)


@contextmanager
def _file(files: Files, path: str) -> Iterator[None]:
    """Name the file in errors about it."""
    try:
        yield
    except IntegrityError as error:
        Provenance(files.where(path)).mark(error)
        raise


def read_entries(raw: bytes) -> tuple[Descriptor, ...]:
    """Read the entries of ``index.json``; tools in Go write ``null`` or nothing for none.

    Raises:
        InvalidManifestError: it is no index.
    """
    data = load_object(raw, INDEX_FILE)
    if data.get("manifests") is None and not {"config", "layers"} & data.keys():
        return ()
    entries = parse_index(raw, OCI_INDEX).manifests
    if len(entries) > MAX_DESCRIPTORS:
        raise InvalidManifestError(f"{INDEX_FILE} has more than {MAX_DESCRIPTORS} entries")
    return entries
