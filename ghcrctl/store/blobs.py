"""Blobs on disk: one file a digest.

What belongs here: reading, writing and examining content by its digest. What does not: names
(``index``), unfinished files (``partials``), what may be removed (``collect``). Invariant: a file
under ``blobs/`` was verified to its last byte and synced before it got its name. What happens to it
later is found where its file was changed (``verified``), and by ``fsck`` in any case.

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
from ghcrctl.store.verified_blobs import Verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from hashlib import _Hash
    from io import BufferedRandom
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.leases import Lease


_MEND = "ghcrctl fsck --repair"


class Blobs:
    """The blobs of one store.

    Args:
        root: the store's directory.
        partial: where unfinished files are kept.
        leases: where processes say that they run.
        verified: the file that keeps which blobs are known to be right.
    """

    def __init__(self, root: Path, *, partial: Path, leases: Path, verified: Path) -> None:
        self._blobs = root / "blobs"
        self._partials = Partials(partial, leases)
        self._verified = Verified(verified)
        self._written: set[Digest] = set()
        self._turn = threading.Condition()

    @property
    def label(self) -> str:
        """The name of this place in messages."""
        return f"the local store ({self._blobs.parent})"

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that has content."""
        return Provenance(str(self.path(descriptor.digest)), _MEND)

    def resolve(self, name: str) -> Descriptor:
        """Refuse: content has only digests here, and they do not tell its media type."""
        raise ManifestUnknownError(f"{self.label} has no name `{name}`")

    def path(self, digest: Digest) -> Path:
        """Return where the content of a digest is, or would be."""
        return self._blobs / digest.algorithm / digest.encoded

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here, with the bytes that it must have.

        Where its file is as it was when its bytes were last found right, they are not read again.
        """
        try:
            found = self.path(descriptor.digest).stat()
        except OSError:
            return False
        if found.st_size != descriptor.size:
            return False
        known = self._verified.verdict(descriptor.digest, found)
        return self._is_right(descriptor) if known is None else known

    def _is_right(self, descriptor: Descriptor) -> bool:
        try:
            self.examine(descriptor)
        except GhcrctlError:
            return False
        return True

    def examine(
        self, descriptor: Descriptor, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Read content, compare it with its descriptor, and remember what came of it.

        Args:
            descriptor: what it must be.
            progress: is told the bytes of each chunk.

        Raises:
            BlobUnknownError: it is not here.
            IntegrityError: it is not what it must be.
        """
        found = self._stat(descriptor.digest)
        with Content(self, descriptor).open() as stream:
            try:
                while chunk := stream.read(CHUNK_SIZE):
                    progress(len(chunk))
            except DigestMismatchError:
                self._note(descriptor.digest, found, right=False)
                raise
        self._note(descriptor.digest, found, right=True)

    def _stat(self, digest: Digest) -> os.stat_result | None:
        with suppress(OSError):
            return self.path(digest).stat()
        return None

    def _note(self, digest: Digest, found: os.stat_result | None, *, right: bool) -> None:
        if found:
            self._verified.note(digest, found, right=right)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading at a byte.

        Raises:
            BlobUnknownError: it is not here.
        """
        path = self.path(descriptor.digest)
        with disk_errors(f"read {path}", in_store=True):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise BlobUnknownError(
                    f"the local store lacks {descriptor.digest}",
                    hint="pull the image again to mend it",
                ) from None
            file.seek(offset)
        return file

    @property
    def sound(self) -> Sound:
        """Only what is right, to be read in front of where the rest can be fetched."""
        return Sound(self)

    def size(self, digest: Digest) -> int:
        """Return the bytes that content takes; 0 where it is not here."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return 0

    def received(self, digest: Digest) -> int:
        """Return the bytes that an interrupted transfer left of content."""
        return self._partials.received(digest)

    def all(self) -> Iterator[Digest]:
        """Yield every digest that is here."""
        for algorithm, length in ENCODED_LENGTH.items():
            folder = self._blobs / algorithm
            if folder.is_dir():
                for path in folder.iterdir():
                    if len(path.name) == length:
                        yield Digest(algorithm, path.name)

    def require(self, descriptors: Iterable[Descriptor]) -> None:
        """Check that content is here.

        Raises:
            StoreDamagedError: some is not, or not any more.
        """
        for descriptor in {descriptor.digest: descriptor for descriptor in descriptors}.values():
            if not self.exists(descriptor):
                raise StoreDamagedError(
                    f"{self.label} lacks {descriptor.digest}: "
                    "it is damaged, or another process removed the image",
                    hint="pull the image again",
                )

    def sync(self) -> None:
        """Make the names of all content durable, before anything relies on them."""
        with disk_errors(f"write {self._blobs}", in_store=True):
            for algorithm in ENCODED_LENGTH:
                if (self._blobs / algorithm).is_dir():
                    sync_directory(self._blobs / algorithm)

    def remove(self, digest: Digest) -> int:
        """Remove content; return the bytes that this freed."""
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
    def put_away(self, digests: Iterable[Digest]) -> Iterator[None]:
        """Count damaged content as absent, so that it is fetched anew.

        It stays where it is until what was fetched takes its place: nothing is lost if that fails.
        """
        for digest in digests:
            self._note(digest, self._stat(digest), right=False)
        yield

    def close(self) -> None:
        """Keep what is known of blobs for other processes, and wait for them no longer."""
        self._partials.close()
        self._verified.save()

    def write(self, content: Content, lease: Lease) -> None:
        """Store content, going on with what an earlier, broken transfer left."""
        with self._alone(content.descriptor.digest):
            self._write(content, lease)

    def adopt(self, aside: Path, digest: Digest) -> None:
        """Take over a synced file beside the blobs, whose bytes were seen to have this digest."""
        path = self.path(digest)
        with disk_errors(f"write {digest}", in_store=True):
            make_directories(path.parent)
            move(aside, path)
        self._note(digest, self._stat(digest), right=True)

    @contextmanager
    def _alone(self, digest: Digest) -> Iterator[None]:
        """Wait until no other thread writes this content: they share one partial file."""
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
                # Its own bytes are synced; that its name is, matters when an image gets one
                # (`sync`).
                move(aside, path)
            self._note(descriptor.digest, self._stat(descriptor.digest), right=True)

    def _fill(self, content: Content, aside: Path) -> None:
        """Receive all of content, going on with what is there."""
        try:
            with disk_errors(f"write {content.descriptor.digest}", in_store=True):
                resumed = aside.stat().st_size > 0
            self._receive_again(content, aside) if resumed else self._receive(content, aside)
        except (IntegrityError, StoreError):
            # Wrong bytes are of no use, a full disk must not be left so, and bytes of which the
            # disk reported an error cannot be trusted. Only an interrupted transfer is resumed.
            discard(aside)
            raise
        except BaseException:
            with suppress(OSError):
                self._partials.give_up(aside)
            raise

    def _receive_again(self, content: Content, aside: Path) -> None:
        """Go on where an earlier transfer ended; where it left wrong bytes, start anew."""
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
                    # An empty content is verified by its one empty read.
                    chunk = stream.read(CHUNK_SIZE)
                    while chunk:
                        file.write(chunk)
                        chunk = stream.read(CHUNK_SIZE)
            sync_file(file)


class Sound:
    """Blobs as if those that are damaged were not here, so that they are read elsewhere."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @property
    def label(self) -> str:
        """The name of this place in messages."""
        return self._blobs.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that has content."""
        return self._blobs.provenance(descriptor)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading at a byte.

        Raises:
            BlobUnknownError: it is not here, or not right. A manifest, being small, is read for
                that; of others it is what `Blobs.exists` tells.
        """
        if descriptor.is_manifest:
            try:
                self._blobs.examine(descriptor)
            except IntegrityError as error:
                raise BlobUnknownError(error.message) from None
        elif not self._blobs.exists(descriptor):
            raise BlobUnknownError(
                f"{self._blobs.label} lacks {descriptor.digest}, or it is damaged"
            )
        return self._blobs.open(descriptor, offset)


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
