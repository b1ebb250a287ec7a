"""Blobs on disk: one file a digest, and partial files that a later transfer goes on with.

What belongs here: reading and writing content by its digest. What does not: names (``index``) and
what may be removed (``collect``). Invariant: a file under ``blobs/`` was verified to its last byte
and synced before it got its name.

Spec: OCI image spec 1.1, image-layout.md, "Blobs".
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import BlobUnknownError, IntegrityError, ManifestUnknownError, NoSpaceError
from ghcrctl.oci.digest import ENCODED_LENGTH, Digest
from ghcrctl.store.files import disk_errors, sync_directory
from ghcrctl.store.leases import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from hashlib import _Hash
    from io import BufferedRandom
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.leases import Lease


class Blobs:
    """The blobs of one store.

    Args:
        root: the store's directory.
        partial: where unfinished files are kept.
        leases: where processes say that they run.
    """

    def __init__(self, root: Path, *, partial: Path, leases: Path) -> None:
        self._blobs = root / "blobs"
        self._partial = partial
        self._leases = leases
        self._written: set[Digest] = set()
        self._turn = threading.Condition()

    @property
    def label(self) -> str:
        """How people know this place."""
        return f"the local store ({self._blobs.parent})"

    def resolve(self, name: str) -> Descriptor:
        """Refuse: content has only digests here, and they do not tell its media type."""
        raise ManifestUnknownError(f"{self.label} has no name `{name}`")

    def path(self, digest: Digest) -> Path:
        """Return where the content of a digest is, or would be."""
        return self._blobs / digest.algorithm / digest.encoded

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here with the size that it must have."""
        try:
            return self.path(descriptor.digest).stat().st_size == descriptor.size
        except OSError:
            return False

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading at a byte.

        Raises:
            BlobUnknownError: it is not here.
        """
        path = self.path(descriptor.digest)
        with disk_errors(f"read {path}"):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise BlobUnknownError(
                    f"the local store lacks {descriptor.digest}",
                    hint="pull the image again to mend it",
                ) from None
            file.seek(offset)
        return file

    def size(self, digest: Digest) -> int:
        """Return the bytes that content takes; 0 where it is not here."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return 0

    def all(self) -> Iterator[Digest]:
        """Yield every digest that is here."""
        for algorithm, length in ENCODED_LENGTH.items():
            folder = self._blobs / algorithm
            if folder.is_dir():
                for path in folder.iterdir():
                    if len(path.name) == length:
                        yield Digest(algorithm, path.name)

    def sync(self) -> None:
        """Make the names of all content durable, before anything relies on them."""
        with disk_errors(f"write {self._blobs}"):
            for algorithm in ENCODED_LENGTH:
                if (self._blobs / algorithm).is_dir():
                    sync_directory(self._blobs / algorithm)

    def remove(self, digest: Digest) -> int:
        """Remove content; return the bytes that this freed."""
        path = self.path(digest)
        with disk_errors(f"remove {path}"):
            try:
                size = path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                return 0
        return size

    @contextmanager
    def put_away(self, digests: Iterable[Digest]) -> Iterator[None]:
        """Take damaged content away while it is fetched anew; if that fails, it comes back."""
        away = {digest: self.path(digest).with_suffix(".damaged") for digest in digests}
        with disk_errors("put damaged content away"):
            for digest, aside in away.items():
                if self.path(digest).exists():
                    self.path(digest).replace(aside)
        try:
            yield
        finally:
            with disk_errors("put damaged content away"):
                for digest, aside in away.items():
                    if aside.exists() and not self.path(digest).exists():
                        aside.replace(self.path(digest))
                    aside.unlink(missing_ok=True)

    def write(self, content: Content, lease: Lease) -> None:
        """Store content, going on with what an earlier, broken transfer left."""
        with self._alone(content.descriptor.digest):
            self._write(content, lease)

    @contextmanager
    def _alone(self, digest: Digest) -> Iterator[None]:
        """Wait until no other thread writes this content: they share one partial file."""
        with self._turn:
            self._turn.wait_for(lambda: digest not in self._written)
            self._written.add(digest)
        try:
            yield
        finally:
            with self._turn:
                self._written.remove(digest)
                self._turn.notify_all()

    def _write(self, content: Content, lease: Lease) -> None:
        descriptor = content.descriptor
        path = self.path(descriptor.digest)
        with disk_errors(f"write {descriptor.digest}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = self._claim(descriptor.digest, lease)
            resumed = aside.stat().st_size > 0
        try:
            self._receive_again(content, aside) if resumed else self._receive(content, aside)
        except (IntegrityError, NoSpaceError):
            # Wrong bytes are of no use, and a disk that is full must not be left so.
            aside.unlink(missing_ok=True)
            raise
        with disk_errors(f"write {descriptor.digest}"):
            # Its own bytes are synced; that its name is, matters when an image gets one (`sync`).
            aside.replace(path)

    def _receive_again(self, content: Content, aside: Path) -> None:
        """Go on where an earlier transfer ended; where it left wrong bytes, start anew."""
        try:
            self._receive(content, aside)
        except IntegrityError:
            with disk_errors(f"write {content.descriptor.digest}"):
                os.truncate(aside, 0)
            self._receive(content, aside)

    def _receive(self, content: Content, aside: Path) -> None:
        descriptor = content.descriptor
        with disk_errors(f"write {descriptor.digest}"), aside.open("r+b") as file:
            hasher = _hash_prefix(file, descriptor)
            offset = file.tell()
            if offset < descriptor.size or not offset:
                with content.open(offset, hasher) as stream:
                    # An empty content is verified by its one empty read.
                    chunk = stream.read(CHUNK_SIZE)
                    while chunk:
                        file.write(chunk)
                        chunk = stream.read(CHUNK_SIZE)
            file.flush()
            os.fsync(file.fileno())

    def _claim(self, digest: Digest, lease: Lease) -> Path:
        """Take over what a dead process left of this content, or start anew.

        The rename is the claim: of several processes that try, one succeeds.
        """
        stem = f"{digest.algorithm}-{digest.encoded}"
        mine = self._partial / f"{stem}.{lease.id}"
        if mine.exists():
            return mine
        for other in sorted(self._partial.glob(f"{stem}.*"), key=_size, reverse=True):
            if is_alive(self._leases, other.suffix[1:]):
                continue
            try:
                other.rename(mine)
            except FileNotFoundError:
                continue
            return mine
        mine.touch()
        return mine


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _hash_prefix(file: BufferedRandom, descriptor: Descriptor) -> _Hash:
    """Compute over what is there and stand at its end; drop it where it cannot be right."""
    hasher = descriptor.digest.hasher()
    while chunk := file.read(CHUNK_SIZE):
        hasher.update(chunk)
    complete = file.tell() == descriptor.size and descriptor.digest.matches(hasher)
    if file.tell() >= descriptor.size and not complete:
        file.seek(0)
        file.truncate()
        return descriptor.digest.hasher()
    return hasher
