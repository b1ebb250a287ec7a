"""Random access to the files of an uncompressed tar archive without extracting it.

Paths outside of the archive are rejected, although nothing is extracted here, to protect users who
extract the archive with other tools.
"""

from __future__ import annotations

import os
import posixpath
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from ghcrctl.errors import BlobUnknownError, IntegrityError
from ghcrctl.layers import headers
from ghcrctl.layers.members import Kind, clean_path
from ghcrctl.layers.tar import BLOCK_SIZE
from ghcrctl.oci.quotes import shortened
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.layers.headers import Header

# An archive of a hundred large images has a tenth of this.
MAX_MEMBERS = 200_000
# Go's archive/tar, which most tools use, has the same limit, in bytes.
_MAX_EXTENSION = 1024 * 1024
_MAX_LINKS = 10
_CHUNK = 1024 * 1024
_EMPTY = bytes(BLOCK_SIZE)
_IGNORED = frozenset(b"VMN")
_ALLOWED = {Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.HARD_LINK}


class Positioned:
    """A file that multiple threads can read at any position.

    Args:
        file: a seekable file, which is closed with this object.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.size = os.fstat(file.fileno()).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at a position."""
        if sys.platform != "win32" and hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a member; ``target`` is the target path of a link, empty for files."""

    offset: int
    size: int
    target: str = ""


class TarFiles:
    """The files of an uncompressed tar archive.

    Args:
        file: the archive, which is closed with this object.
        label: name of the archive in messages.

    Raises:
        IntegrityError: the file is not a tar archive, is damaged or has unsupported members.
    """

    def __init__(self, file: Positioned, label: str) -> None:
        self.label = label
        self._file = file
        self._places = _HeaderReader(file, label).list()

    def where(self, path: str) -> str:  # noqa: ARG002 all files are in the archive
        """Return the path of the archive."""
        return self.label

    def size(self, path: str) -> int | None:
        """Return the size of a file (bytes)."""
        place = self._find(path)
        return place.size if place else None

    def open(self, path: str, offset: int = 0) -> Stream:
        """Open a file for reading."""
        place = self._find(path)
        if place is None:
            raise BlobUnknownError(f"{self.label} has no {shortened(path)}")
        return _Window(self._file, place, offset, self.label)

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def _find(self, path: str) -> Place | None:
        place = self._places.get(path)
        for _ in range(_MAX_LINKS):
            if place is None or not place.target:
                return place
            target = place.target
            place = self._places.get(target)
            if place is None:
                raise IntegrityError(
                    f"{self.label} is damaged: {shortened(path)} is a link to the missing file "
                    f"{shortened(target)}"
                )
        raise IntegrityError(f"{self.label} is damaged: {shortened(path)} is a circular link")


class _Window:
    """A stream of one member."""

    def __init__(self, file: Positioned, place: Place, offset: int, label: str) -> None:
        self._file = file
        self._position = place.offset + offset
        self._end = place.offset + place.size
        self._label = label

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self._end - self._position)
        if wanted <= 0:
            return b""
        with disk_errors(f"read {self._label}"):
            data = self._file.read(self._position, wanted)
        self._position += len(data)
        return data

    def close(self) -> None:
        pass


class _HeaderReader:
    """A reader of all headers of an archive."""

    def __init__(self, file: Positioned, label: str) -> None:
        self._file = file
        self._label = label
        self._position = 0
        self._places: dict[str, Place] = {}
        self._count = 0

    def list(self) -> dict[str, Place]:
        with disk_errors(f"read {self._label}"):
            records: headers.Records = {}
            while header := self._header():
                if header.type in b"xX":
                    records |= headers.parse_records(self._extension(header))[0]
                elif header.type in b"LK":
                    key = "path" if header.type == ord("L") else "linkpath"
                    records.setdefault(key, self._extension(header).partition(b"\0")[0])
                elif header.type in _IGNORED or header.type in b"g":
                    self._skip(header.size)
                else:
                    self._add(header, records)
                    records = {}
            return self._places

    def _header(self) -> Header | None:
        block = self._file.read(self._position, BLOCK_SIZE)
        # Some programs omit the two empty blocks at the end.
        if not block or block == _EMPTY:
            return None
        if len(block) < BLOCK_SIZE:
            raise self._ends_early()
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise self._error(f"it has more than {MAX_MEMBERS} members")
        try:
            header = headers.parse_header(block)
        except IntegrityError:
            if self._position:
                raise self._error("a header is invalid") from None
            raise IntegrityError(f"{self._label} is not an archive") from None
        self._position += BLOCK_SIZE
        return header

    def _extension(self, header: Header) -> bytes:
        if header.size > _MAX_EXTENSION:
            raise self._error("an extension header is too large")
        start = self._position
        self._skip(header.size)
        return self._file.read(start, header.size)

    def _skip(self, size: int) -> None:
        end = self._position + size
        if end > self._file.size:
            raise self._ends_early()
        self._position = end + headers.padding(size)

    def _add(self, header: Header, records: headers.Records) -> None:
        kind = header.kind
        name = _text(records.get("path") or header.name)
        size = headers.decimal(records["size"]) if records.get("size") else header.size
        path = self._path(name)
        is_sparse = header.type == ord("S") or any(key.startswith("GNU.sparse") for key in records)
        if kind not in _ALLOWED or is_sparse:
            what = "sparse file" if is_sparse else kind.value
            raise self._error(f"{shortened(name)} is a {what}, which image archives do not have")
        place = Place(self._position, size if kind is Kind.FILE else 0)
        if kind is Kind.FILE or header.type == ord("D"):
            self._skip(size)
        if kind is Kind.DIRECTORY:
            return
        if kind is not Kind.FILE:
            target = _text(records.get("linkpath") or header.link)
            place = Place(0, 0, self._target(path, target, kind))
        self._keep(path, place)

    def _keep(self, path: str, place: Place) -> None:
        before = self._places.get(path)
        if before and not self._are_same(before, place):
            raise self._error(f"it has two different files named {shortened(path)}")
        self._places[path] = place

    def _are_same(self, one: Place, other: Place) -> bool:
        if (one.size, one.target) != (other.size, other.target):
            return False
        return all(
            self._file.read(one.offset + at, min(_CHUNK, one.size - at))
            == self._file.read(other.offset + at, min(_CHUNK, one.size - at))
            for at in range(0, one.size, _CHUNK)
        )

    def _path(self, name: str) -> str:
        if name.startswith("/") or ".." in name.split("/"):
            raise self._error(f"the path {shortened(name)} points outside the archive")
        return clean_path(name)

    def _target(self, path: str, target: str, kind: Kind) -> str:
        """Return the target of a link as a path in the archive."""
        base = posixpath.dirname(path) if kind is Kind.SYMLINK else ""
        if target.startswith("/") or not target:
            raise self._error(f"the link {shortened(path)} points outside the archive")
        try:
            return clean_path(posixpath.join(base, target))
        except IntegrityError:
            raise self._error(f"the link {shortened(path)} points outside the archive") from None

    def _ends_early(self) -> IntegrityError:
        return self._error("unexpected end of file")

    def _error(self, what: str) -> IntegrityError:
        return IntegrityError(f"{self._label} is damaged: {what}")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
