"""Unfinished uploads, each stored in a file."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content
from ghcrctl.disk.removal import discard
from ghcrctl.errors import ManifestUnknownError, NoSpaceError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.stale_files import UPLOAD_MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.digest import Digest

# Each upload is a file, so their number is limited.
MAX_UPLOADS = 1000
MAX_IDLE_SECONDS = UPLOAD_MAX_AGE
BLOB_TYPE = "application/octet-stream"


class TooManyUploadsError(Exception):
    """There are too many unfinished uploads."""


@dataclass(slots=True)
class Upload:
    """An upload to a repository; a request that uses the upload holds ``lock``."""

    id: str
    repository: str
    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size

    @property
    def is_abandoned(self) -> bool:
        """Whether the upload has received no data for `MAX_IDLE_SECONDS`."""
        try:
            return self.path.stat().st_mtime < time.time() - MAX_IDLE_SECONDS
        except FileNotFoundError:
            return True

    def append(self, blocks: Iterable[bytes]) -> int:
        """Append bytes and return their number; bytes received before a failure are kept.

        Raises:
            NoSpaceError: the disk is full.
        """
        count = 0
        with self.path.open("ab", buffering=0) as file:
            for block in blocks:
                view = memoryview(block)
                while view:
                    with disk_errors("store the upload", in_store=True):
                        view = view[file.write(view) :]
                count += len(block)
        return count

    def check_space(self, count: int) -> None:
        """Check that the disk has enough free space.

        Args:
            count: bytes to be written.

        Raises:
            NoSpaceError: the disk has less free space.
        """
        if count > shutil.disk_usage(self.path.parent).free:
            raise NoSpaceError(f"cannot store the upload: not enough disk space for {count} bytes")

    def truncate(self, size: int) -> None:
        """Truncate the upload to a size (bytes)."""
        with self.path.open("r+b") as file:
            file.truncate(size)

    def content(self, digest: Digest) -> Content:
        """Return the upload as content, which is verified when it is read."""
        return Content(StagedFile(self.path), Descriptor(BLOB_TYPE, digest, self.size))


class StagedFile:
    """A source that returns the same file for every digest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def label(self) -> str:
        """The name of this source in messages."""
        return "the upload"

    def resolve(self, name: str) -> Descriptor:
        """Raise an error, since an upload has no tags."""
        raise ManifestUnknownError(f"tag `{name}` not found in an upload")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:  # noqa: ARG002 one file
        """Open the file for reading, starting at a byte offset."""
        file = self._path.open("rb")
        file.seek(offset)
        return file


class StagedUploads:
    """All unfinished uploads of a server.

    Args:
        directory: directory of the upload files, created at the first upload.
        owner: returns the suffix of the names of upload files, which identifies their process.
    """

    def __init__(self, directory: Path, owner: Callable[[], str] = lambda: "") -> None:
        self._directory = directory
        self._owner = owner
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def start(self, repository: str) -> Upload:
        """Start an upload.

        Raises:
            TooManyUploadsError: there are `MAX_UPLOADS` unfinished uploads.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        upload_id = secrets.token_hex(16)
        path = self._directory / f"{upload_id}.{self._owner()}"
        upload = Upload(upload_id, repository, path)
        if len(self._uploads) >= MAX_UPLOADS:
            raise TooManyUploadsError(
                f"too many unfinished uploads: at most {MAX_UPLOADS} are allowed"
            )
        path.touch(mode=0o600)
        with self._lock:
            self._uploads[upload_id] = upload
        return upload

    def find(self, upload_id: str, repository: str) -> Upload | None:
        """Return an unfinished upload to a repository, or ``None`` if it does not exist."""
        with self._lock:
            upload = self._uploads.get(upload_id)
        if upload is None or upload.repository != repository or not upload.path.exists():
            return None
        return upload

    def delete(self, upload: Upload) -> None:
        """Delete an upload and its file; deleting it again has no effect."""
        with self._lock:
            self._uploads.pop(upload.id, None)
        discard(upload.path)

    def expire(self) -> None:
        """Delete abandoned uploads."""
        with self._lock:
            uploads = list(self._uploads.values())
        for upload in uploads:
            if upload.is_abandoned and upload.lock.acquire(blocking=False):
                self.delete(upload)
                upload.lock.release()

    def close(self) -> None:
        """Delete all uploads."""
        with self._lock:
            uploads = list(self._uploads.values())
        for upload in uploads:
            self.delete(upload)
