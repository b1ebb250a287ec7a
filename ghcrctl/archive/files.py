"""Files of an archive by their paths, wherever they are: the port, and a directory.

What belongs here: reading named files at any position. What does not: archives packed in one file
(`tar_files`), and what the files mean (`layout`, `docker`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import BlobUnknownError, IntegrityError, InvalidManifestError
from ghcrctl.oci.documents import MAX_METADATA_SIZE, load_object
from ghcrctl.oci.quoting import shortened
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from typing import Any

    from ghcrctl.content.ports import Stream


class Files(Protocol):
    """Files by their paths, which have slashes and no ``.`` or ``..``; for several threads."""

    @property
    def label(self) -> str:
        """How people know this place."""
        ...

    def where(self, path: str) -> str:
        """Return the file that has the bytes of a path: the archive, or the file itself."""
        ...

    def size(self, path: str) -> int | None:
        """Return the bytes of a file; ``None`` where there is none.

        Raises:
            IntegrityError: the path is that of a link which leads nowhere, or out of this place.
        """
        ...

    def open(self, path: str, offset: int = 0) -> Stream:
        """Start reading a file at a byte; its end is the end of the file.

        Raises:
            BlobUnknownError: there is no such file.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def read_small(files: Files, path: str) -> bytes:
    """Return all of a file of metadata.

    Raises:
        BlobUnknownError: there is no such file.
        InvalidManifestError: it is larger than the 4 MiB that metadata may have.
    """
    size = files.size(path)
    if size is None:
        raise BlobUnknownError(f"{files.label} has no {shortened(path)}")
    if size > MAX_METADATA_SIZE:
        raise InvalidManifestError(
            f"{shortened(path)} in {files.label} has {size} bytes; {MAX_METADATA_SIZE} are allowed"
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
        raise IntegrityError(f"{files.label} is damaged: {shortened(path)} ends too early")
    return data


def read_list(files: Files, path: str) -> list[dict[str, Any]]:
    """Return the objects in a file that holds a JSON list of them.

    Raises:
        InvalidManifestError: it does not.
    """
    raw = read_small(files, path)
    # An object around it lets all that is asked of foreign JSON be asked of a list, too.
    wrapped = load_object(b'{"list":' + raw + b"}", path)
    entries = wrapped["list"]
    if len(wrapped) > 1 or not isinstance(entries, list):
        raise InvalidManifestError(f"invalid {path}: no JSON list")
    if not all(isinstance(entry, dict) for entry in entries):
        raise InvalidManifestError(f"invalid {path}: an entry is no JSON object")
    return entries


class FolderFiles:
    """The files of a directory; nothing outside of it is read.

    Args:
        folder: the directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = Path(os.path.realpath(folder))
        self.label = str(folder)

    def where(self, path: str) -> str:
        """Return the file of a path."""
        return str(self._folder / path)

    def size(self, path: str) -> int | None:
        """Return the bytes of a file."""
        found = self._find(path)
        with disk_errors(f"read {found}"):
            return found.stat().st_size if found.is_file() else None

    def open(self, path: str, offset: int = 0) -> Stream:
        """Start reading a file."""
        found = self._find(path)
        if not found.is_file():
            raise BlobUnknownError(f"{self.label} has no {shortened(path)}")
        with disk_errors(f"read {found}"):
            file = found.open("rb")
            file.seek(offset)
            return file

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _find(self, path: str) -> Path:
        found = Path(os.path.realpath(self._folder / path))
        if not found.is_relative_to(self._real):
            raise IntegrityError(
                f"{shortened(path)} in {self.label} is a link that leads out of it"
            )
        return found
