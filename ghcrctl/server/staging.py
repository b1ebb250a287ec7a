"""Unfinished uploads, each a file in a directory.

What belongs here: sessions and their bytes. What does not: the protocol (``uploads``), and
verification, which happens where the content is written.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content
from ghcrctl.errors import ManifestUnknownError
from ghcrctl.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.digest import Digest

BLOB_TYPE = "application/octet-stream"


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

    def append(self, blocks: Iterable[bytes]) -> int:
        """Add bytes; those that came before a failure stay. Return how many came."""
        count = 0
        with self.path.open("ab", buffering=0) as file:
            for block in blocks:
                view = memoryview(block)
                while view:
                    view = view[file.write(view) :]
                count += len(block)
        return count

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
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, repository: str) -> Session:
        """Start an upload."""
        self._directory.mkdir(parents=True, exist_ok=True)
        identity = secrets.token_hex(16)
        session = Session(identity, repository, self._directory / identity)
        session.path.touch(mode=0o600)
        with self._lock:
            self._sessions[identity] = session
        return session

    def find(self, identity: str, repository: str) -> Session | None:
        """Return an upload to a repository, if there is one."""
        with self._lock:
            session = self._sessions.get(identity)
        return session if session and session.repository == repository else None

    def end(self, session: Session) -> None:
        """Forget an upload and its bytes; may be done twice."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.path.unlink(missing_ok=True)

    def close(self) -> None:
        """End every upload."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            self.end(session)
