"""Blobs on disk, one file per digest.

A file under ``blobs/`` is verified and synced before it gets its name. Later changes are detected
by its file's state (``verified_blobs``), and always by ``fsck``.

Spec: OCI image spec 1.1, image-layout.md, "Blobs".
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ghcrctl.content.provenance import Provenance
from ghcrctl.content.streams import CHUNK_SIZE, Content
from ghcrctl.content.thread_waits import wait_until
from ghcrctl.disk.durability import make_directories, move, sync_directory, sync_file
from ghcrctl.disk.removal import discard, remove
from ghcrctl.errors import (
    BlobUnknownError,
    DigestMismatchError,
    GhcrctlError,
    IntegrityError,
    ManifestUnknownError,
    StoreDamagedError,
    StoreError,
)
from ghcrctl.oci.digest import ENCODED_LENGTH, Digest
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.partials import Partials
from ghcrctl.store.verified_blobs import VerifiedBlobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from hashlib import _Hash
    from io import BufferedRandom
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.leases import Lease


_REPAIR_COMMAND = "ghcrctl fsck --repair"


class Blobs:
    """The blobs of one store.

    Args:
        root: the store's directory.
        partial: the directory of unfinished files.
        leases: the directory of leases.
        verified: the file that records which blobs are verified.
    """

    def __init__(self, root: Path, *, partial: Path, leases: Path, verified: Path) -> None:
        self._blobs = root / "blobs"
        self._partials = Partials(partial, leases)
        self._verified = VerifiedBlobs(verified)
        # Digests that threads of this process are writing.
        self._written: set[Digest] = set()
        self._turn = threading.Condition()

    @property
    def label(self) -> str:
        """The store's name for messages."""
        return f"the local store ({self._blobs.parent})"

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file of a blob, with a hint to repair it."""
        return Provenance(str(self.path(descriptor.digest)), _REPAIR_COMMAND)

    def resolve(self, name: str) -> Descriptor:
        """Raise an error: blobs have no names, and a digest alone implies no media type."""
        raise ManifestUnknownError(f"cannot resolve `{name}`: {self.label} has no such name")

    def path(self, digest: Digest) -> Path:
        """Return the path of a blob, whether or not it exists."""
        return self._blobs / digest.algorithm / digest.encoded

    def exists(self, descriptor: Descriptor) -> bool:
        """Check whether a blob exists and is intact.

        The bytes are only read if the file has changed since they were last verified.
        """
        try:
            found = self.path(descriptor.digest).stat()
        except OSError:
            return False
        if found.st_size != descriptor.size:
            return False
        known = self._verified.verdict(descriptor.digest, found)
        return self._is_intact(descriptor) if known is None else known

    def _is_intact(self, descriptor: Descriptor) -> bool:
        try:
            self.examine(descriptor)
        except GhcrctlError:
            return False
        return True

    def examine(
        self, descriptor: Descriptor, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Read a blob, compare it with its descriptor, and remember the result.

        Args:
            descriptor: the expected content.
            progress: called with the number of bytes of each chunk.

        Raises:
            BlobUnknownError: the blob does not exist.
            IntegrityError: the blob does not match its descriptor.
        """
        found = self._stat(descriptor.digest)
        with Content(self, descriptor).open() as stream:
            try:
                while chunk := stream.read(CHUNK_SIZE):
                    progress(len(chunk))
            except DigestMismatchError:
                self._note(descriptor.digest, found, intact=False)
                raise
        self._note(descriptor.digest, found, intact=True)

    def _stat(self, digest: Digest) -> os.stat_result | None:
        with suppress(OSError):
            return self.path(digest).stat()
        return None

    def _note(self, digest: Digest, found: os.stat_result | None, *, intact: bool) -> None:
        if found:
            self._verified.note(digest, found, intact=intact)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open a blob at an offset.

        Raises:
            BlobUnknownError: the blob does not exist.
        """
        path = self.path(descriptor.digest)
        with disk_errors(f"read {path}", in_store=True):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise BlobUnknownError(
                    f"blob {descriptor.digest} not found in the local store",
                    hint="pull the image again to repair it",
                ) from None
            file.seek(offset)
        return file

    @property
    def intact(self) -> IntactBlobs:
        """Only the intact blobs, so that damaged ones are read from another source."""
        return IntactBlobs(self)

    def size(self, digest: Digest) -> int:
        """Return the size of a blob in bytes; 0 if it does not exist."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return 0

    def received(self, digest: Digest) -> int:
        """Return the number of bytes of a blob that an interrupted transfer has left."""
        return self._partials.received(digest)

    def all(self) -> Iterator[Digest]:
        """Yield the digests of all blobs."""
        for algorithm, length in ENCODED_LENGTH.items():
            folder = self._blobs / algorithm
            if folder.is_dir():
                for path in folder.iterdir():
                    if len(path.name) == length:
                        yield Digest(algorithm, path.name)

    def require(self, descriptors: Iterable[Descriptor]) -> None:
        """Check that blobs exist.

        Raises:
            StoreDamagedError: a blob is missing or damaged.
        """
        for descriptor in {descriptor.digest: descriptor for descriptor in descriptors}.values():
            if not self.exists(descriptor):
                raise StoreDamagedError(
                    f"{self.label} has no intact blob {descriptor.digest}: "
                    "it is damaged, or another process removed the image",
                    hint="pull the image again",
                )

    def sync(self) -> None:
        """Sync the directory entries of all blobs, before an image is named."""
        with disk_errors(f"write {self._blobs}", in_store=True):
            for algorithm in ENCODED_LENGTH:
                if (self._blobs / algorithm).is_dir():
                    sync_directory(self._blobs / algorithm)

    def remove(self, digest: Digest) -> int:
        """Remove a blob; return the number of bytes freed."""
        path = self.path(digest)
        with disk_errors(f"remove {path}", in_store=True):
            try:
                size = path.stat().st_size
                remove(path)
            except FileNotFoundError:
                return 0
        self._verified.forget(digest)
        return size

    @contextmanager
    def ignore_damaged(self, digests: Iterable[Digest]) -> Iterator[None]:
        """Treat damaged blobs as missing so that they are fetched again.

        The files are kept until they are replaced: nothing is lost if fetching fails.
        """
        for digest in digests:
            self._note(digest, self._stat(digest), intact=False)
        yield

    def close(self) -> None:
        """Save which blobs are verified, and stop waiting for other processes."""
        self._partials.close()
        self._verified.save()

    def write(self, content: Content, lease: Lease) -> None:
        """Store a blob, resuming an interrupted transfer."""
        with self._exclusive(content.descriptor.digest):
            self._write(content, lease)

    def adopt(self, aside: Path, digest: Digest) -> None:
        """Move a synced file into the store, whose bytes are known to have this digest."""
        path = self.path(digest)
        with disk_errors(f"write {digest}", in_store=True):
            make_directories(path.parent)
            move(aside, path)
        self._note(digest, self._stat(digest), intact=True)

    @contextmanager
    def _exclusive(self, digest: Digest) -> Iterator[None]:
        """Wait until no other thread writes this blob, since threads share its partial file."""
        with self._turn:
            wait_until(self._turn, lambda: digest not in self._written)
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
        with disk_errors(f"write {descriptor.digest}", in_store=True):
            make_directories(path.parent)
            aside = self._partials.take(descriptor.digest, lease, lambda: self.exists(descriptor))
        if aside:
            self._fill(content, aside)
            with disk_errors(f"write {descriptor.digest}", in_store=True):
                # The file's bytes are synced. Its name is synced when an image is named (`sync`).
                move(aside, path)
            self._note(descriptor.digest, self._stat(descriptor.digest), intact=True)

    def _fill(self, content: Content, aside: Path) -> None:
        """Receive the rest of a blob into a partial file."""
        try:
            with disk_errors(f"write {content.descriptor.digest}", in_store=True):
                resumed = aside.stat().st_size > 0
            self._resume(content, aside) if resumed else self._receive(content, aside)
        except (IntegrityError, StoreError):
            # Wrong bytes are useless, a full disk needs the space back, and bytes cannot be
            # trusted after a disk error. Only an interrupted transfer is resumed.
            discard(aside)
            raise
        except BaseException:
            with suppress(OSError):
                self._partials.release(aside)
            raise

    def _resume(self, content: Content, aside: Path) -> None:
        """Resume a transfer; if the bytes on disk are wrong, start over."""
        try:
            self._receive(content, aside)
        except IntegrityError:
            with disk_errors(f"write {content.descriptor.digest}", in_store=True):
                os.truncate(aside, 0)
            self._receive(content, aside)

    def _receive(self, content: Content, aside: Path) -> None:
        descriptor = content.descriptor
        with disk_errors(f"write {descriptor.digest}", in_store=True), aside.open("r+b") as file:
            hasher = _hash_prefix(file, descriptor)
            offset = file.tell()
            if offset < descriptor.size or not offset:
                with content.open(offset, hasher) as stream:
                    # Empty content is verified by its first, empty read.
                    chunk = stream.read(CHUNK_SIZE)
                    while chunk:
                        file.write(chunk)
                        chunk = stream.read(CHUNK_SIZE)
            sync_file(file)


class IntactBlobs:
    """A view of a store's blobs that treats damaged ones as missing."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @property
    def label(self) -> str:
        """The store's name for messages."""
        return self._blobs.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file of a blob, with a hint to repair it."""
        return self._blobs.provenance(descriptor)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open a blob at an offset.

        Raises:
            BlobUnknownError: the blob does not exist or is damaged. Manifests are always read to
                check this; for other blobs see `Blobs.exists`.
        """
        if descriptor.is_manifest:
            try:
                self._blobs.examine(descriptor)
            except IntegrityError as error:
                raise BlobUnknownError(error.message) from None
        elif not self._blobs.exists(descriptor):
            raise BlobUnknownError(
                f"blob {descriptor.digest} is missing or damaged in {self._blobs.label}"
            )
        return self._blobs.open(descriptor, offset)


def _hash_prefix(file: BufferedRandom, descriptor: Descriptor) -> _Hash:
    """Hash the bytes of a partial file and stop at its end; empty the file if they are wrong."""
    hasher = descriptor.digest.hasher()
    while chunk := file.read(CHUNK_SIZE):
        hasher.update(chunk)
    complete = file.tell() == descriptor.size and descriptor.digest.matches(hasher)
    if file.tell() >= descriptor.size and not complete:
        file.seek(0)
        file.truncate()
        return descriptor.digest.hasher()
    return hasher
