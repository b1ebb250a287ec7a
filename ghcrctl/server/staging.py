"""Unfinished uploads, each a file in a directory.

What belongs here: sessions and their bytes. What does not: the protocol (``uploads``), and
verification, which happens where the content is written.
"""

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
from ghcrctl.store.files import disk_errors
from ghcrctl.store.leftovers import UPLOAD_MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.digest import Digest

# An upload takes a file, so a client must not begin as many as it likes.
MAX_SESSIONS = 1000
# Seconds.
MAX_IDLE = UPLOAD_MAX_AGE
BLOB_TYPE = "application/octet-stream"


class TooManyUploadsError(Exception):
    """The limit of unfinished uploads is reached."""


@dataclass(slots=True)
class Session:
    """One upload to one repository; ``lock`` is held by the request that works on it."""

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
        """Whether the upload received no byte for so long that it is abandoned."""
        try:
            return self.path.stat().st_mtime < time.time() - MAX_IDLE
        except FileNotFoundError:
            return True

    def append(self, blocks: Iterable[bytes]) -> int:
        """Add bytes; those that came before a failure stay. Return how many came.

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

    def check_room(self, count: int) -> None:
        """Check that the disk has room for more bytes.

        Raises:
            NoSpaceError: the disk has less.
        """
        if count > shutil.disk_usage(self.path.parent).free:
            raise NoSpaceError(f"cannot store the upload: the disk has no room for {count} bytes")

    def cut(self, size: int) -> None:
        """Forget what came after so many bytes."""
        with self.path.open("r+b") as file:
            file.truncate(size)

    def content(self, digest: Digest) -> Content:
        """Offer what was received as content, which is verified when it is read."""
        return Content(StagedFile(self.path), Descriptor(BLOB_TYPE, digest, self.size))


class StagedFile:
    """A source of one file, whatever digest is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def label(self) -> str:
        """How people know this place."""
        return "the upload"

    def resolve(self, name: str) -> Descriptor:
        """Refuse: an upload has no names."""
        raise ManifestUnknownError(f"an upload has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:  # noqa: ARG002 one file
        """Start reading the file at a byte."""
        file = self._path.open("rb")
        file.seek(offset)
        return file


class Staging:
    """All sessions of one server, which end with it.

    Args:
        directory: made at the first upload.
        owner: returns what ends the names of files, so that others know whose they are.
    """

    def __init__(self, directory: Path, owner: Callable[[], str] = lambda: "") -> None:
        self._directory = directory
        self._owner = owner
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, repository: str) -> Session:
        """Start an upload.

        Raises:
            TooManyUploadsError: too many are unfinished.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        identity = secrets.token_hex(16)
        path = self._directory / f"{identity}.{self._owner()}"
        session = Session(identity, repository, path)
        if len(self._sessions) >= MAX_SESSIONS:
            raise TooManyUploadsError(f"{MAX_SESSIONS} uploads are unfinished")
        path.touch(mode=0o600)
        with self._lock:
            self._sessions[identity] = session
        return session

    def find(self, identity: str, repository: str) -> Session | None:
        """Return an upload to a repository, if there is one."""
        with self._lock:
            session = self._sessions.get(identity)
        if session is None or session.repository != repository or not session.path.exists():
            return None
        return session

    def end(self, session: Session) -> None:
        """Forget an upload and its bytes; may be done twice."""
        with self._lock:
            self._sessions.pop(session.id, None)
        discard(session.path)

    def expire(self) -> None:
        """End abandoned uploads."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            if session.is_abandoned and session.lock.acquire(blocking=False):
                self.end(session)
                session.lock.release()

    def close(self) -> None:
        """End every upload."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            self.end(session)
