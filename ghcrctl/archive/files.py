"""The files of an archive by path: the interface, and its implementation for directories."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import BlobUnknownError, IntegrityError, InvalidManifestError
from ghcrctl.oci.documents import MAX_METADATA_SIZE, load_object
from ghcrctl.oci.quotes import shortened
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from typing import Any

    from ghcrctl.content.ports import Stream


class Files(Protocol):
    """The files of an archive by path, with slashes and without ``.`` or ``..``. Thread-safe."""

    @property
    def label(self) -> str:
        """The name of this place in messages."""
        ...

    def where(self, path: str) -> str:
        """Return the file on disk with the bytes of a path: the archive or the file itself."""
        ...

    def size(self, path: str) -> int | None:
        """Return the size of a file (bytes); ``None`` if it does not exist.

        Raises:
            IntegrityError: the path is a link to a missing file or to a file outside the archive.
        """
        ...

    def open(self, path: str, offset: int = 0) -> Stream:
        """Open a file for reading, starting at a byte offset.

        Raises:
            BlobUnknownError: the file does not exist.
        """
        ...

    def close(self) -> None:
        """Release all resources."""
        ...


def read_metadata_file(files: Files, path: str) -> bytes:
    """Return the content of a metadata file.

    Raises:
        BlobUnknownError: the file does not exist.
        InvalidManifestError: the file is larger than 4 MiB.
    """
    size = files.size(path)
    if size is None:
        raise BlobUnknownError(f"{files.label} has no {shortened(path)}")
    if size > MAX_METADATA_SIZE:
        raise InvalidManifestError(
            f"{shortened(path)} in {files.label} has {size} bytes; at most "
            f"{MAX_METADATA_SIZE} are allowed"
        )
    stream = files.open(path)
    try:
        parts = []
        while part := stream.read(size + 1):
            parts.append(part)
    finally:
        stream.close()
    data = b"".join(parts)
    if len(data) != size:
        raise IntegrityError(f"{files.label} is damaged: {shortened(path)} is truncated")
    return data


def read_list(files: Files, path: str) -> list[dict[str, Any]]:
    """Return the content of a file with a JSON list of objects.

    Raises:
        InvalidManifestError: the file has no such list.
    """
    raw = read_metadata_file(files, path)
    # `load_object` has the checks for untrusted JSON, and needs an object.
    wrapped = load_object(b'{"list":' + raw + b"}", path)
    entries = wrapped["list"]
    if len(wrapped) > 1 or not isinstance(entries, list):
        raise InvalidManifestError(f"invalid {path}: expected a JSON list")
    if not all(isinstance(entry, dict) for entry in entries):
        raise InvalidManifestError(f"invalid {path}: expected a list of JSON objects")
    return entries


class FolderFiles:
    """The files of a directory, except links that point outside of it.

    Args:
        folder: path of the directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = Path(os.path.realpath(folder))
        self.label = str(folder)

    def where(self, path: str) -> str:
        """Return the file on disk."""
        return str(self._folder / path)

    def size(self, path: str) -> int | None:
        """Return the size of a file (bytes)."""
        found = self._find(path)
        with disk_errors(f"read {found}"):
            return found.stat().st_size if found.is_file() else None

    def open(self, path: str, offset: int = 0) -> Stream:
        """Open a file for reading."""
        found = self._find(path)
        if not found.is_file():
            raise BlobUnknownError(f"{self.label} has no {shortened(path)}")
        with disk_errors(f"read {found}"):
            file = found.open("rb")
            file.seek(offset)
            return file

    def close(self) -> None:
        """Do nothing, since no file is kept open."""

    def _find(self, path: str) -> Path:
        found = Path(os.path.realpath(self._folder / path))
        if not found.is_relative_to(self._real):
            raise IntegrityError(f"{shortened(path)} in {self.label} is a link to a file outside")
        return found
