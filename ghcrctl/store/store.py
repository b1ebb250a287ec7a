"""The store as a whole: its directory, its lock and its records."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ghcrctl.content.streams import read_metadata
from ghcrctl.disk.durability import make_directories, sync_file, write_atomically
from ghcrctl.disk.removal import discard
from ghcrctl.errors import GhcrctlError, NoSpaceError, StoreLockedError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.store.attached_referrers import orphaned_referrers
from ghcrctl.store.blobs import Blobs
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.garbage_collection import live_digests
from ghcrctl.store.graph import ManifestGraph
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.incoming_blob import IncomingBlob
from ghcrctl.store.index import LAYOUT, check_layout, read_entries, read_index, write_index
from ghcrctl.store.leases import Lease
from ghcrctl.store.locks import acquire_in_place
from ghcrctl.store.moved_names import NamedRecords, unique_names
from ghcrctl.store.name_bindings import check_name, true_name
from ghcrctl.store.origins import Origins
from ghcrctl.store.records import (
    NAME,
    Facts,
    Listed,
    Record,
    from_descriptor,
    from_entry,
    to_descriptor,
)
from ghcrctl.store.reserved_space import ReservedSpace
from ghcrctl.store.scratch import size_of
from ghcrctl.store.stale_files import INCOMING, MAX_AGE, abandoned_paths, scratch_paths, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.store.index import ImageList
    from ghcrctl.store.manifest_lists import ManifestLists

LOCK_TIMEOUT = 60.0


class Store:
    """An OCI image layout with names.

    Args:
        root: the store's directory; created on the first write.
        prefer: the platform that represents an index in listings.
    """

    def __init__(self, root: Path, *, prefer: Platform) -> None:
        self.root = root
        self.prefer = prefer
        self._private = root / "ghcrctl"
        self._leases = self._private / "leases"
        self._partial = self._private / "partial"
        self.blobs = Blobs(
            root,
            partial=self._partial,
            leases=self._leases,
            verified=self._private / "verified",
        )
        self.graph = ManifestGraph(lambda manifest: read_metadata(self.blobs, manifest))
        self.origins = Origins(self._private / "origins")
        self._reserved_space = ReservedSpace(self._private / "spare")
        self._lease: Lease | None = None
        # Both are reentrant for the thread that holds them.
        self._guard = threading.RLock()
        self._lock = FileLock(self._private / "lock", timeout=LOCK_TIMEOUT, thread_local=False)

    @property
    def manifest_lists(self) -> ManifestLists:
        """The manifest lists that are not pushed yet."""
        from ghcrctl.store.manifest_lists import ManifestLists

        return ManifestLists(self._private / "manifests")

    # Reading needs no lock, since `index.json` is replaced atomically.

    def records(self) -> list[Record]:
        """Return all records, oldest first.

        Raises:
            StoreDamagedError: the list of images is unreadable.
        """
        return [self._record(entry) for entry in self.entries()]

    def entries(self) -> tuple[Descriptor, ...]:
        """Return the entries of ``index.json``, including those of other programs.

        Raises:
            StoreDamagedError: the list of images is unreadable.
        """
        return read_index(self.root / "index.json").entries

    def listing(self) -> list[Listed]:
        """Return the listing facts of all records, in order; faster than `records`.

        Raises:
            StoreDamagedError: the list of images is unreadable.
        """
        return read_entries(
            self.root / "index.json",
            lambda _, entries: [from_entry(entry) or self._listed(entry) for entry in entries],
        )

    def _listed(self, entry: Any) -> Listed:
        record = self._record(Descriptor.from_json(entry))
        facts = record.facts
        return Listed(
            record.name, facts.image_id, facts.created, facts.size, facts.kind, record.origin, entry
        )

    def _record(self, entry: Descriptor) -> Record:
        """Read a record; for entries of other tools, compute the facts."""
        record = from_descriptor(entry)
        if record:
            return record
        name = true_name(entry.annotations.get(NAME, ""), entry.digest)
        try:
            facts = compute_facts(self.blobs, entry, self.prefer)
        except GhcrctlError:
            facts = Facts(entry.digest, size=entry.size, kind=entry.media_type)
        return Record(entry, name, facts)

    # Writers hold the lock only briefly.

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock, which excludes other processes and other threads.

        Raises:
            StoreLockedError: another process holds the lock for more than a minute.
            StoreError: the store cannot be written.
        """
        with self._guard, disk_errors(f"write the image store at {self.root}", in_store=True):
            for folder in (self.root / "blobs" / "sha256", self._leases, self._partial):
                make_directories(folder)
            try:
                acquire_in_place(self._lock)
            except Timeout:
                raise StoreLockedError(
                    f"cannot lock the image store at {self.root}: another process has held the "
                    f"lock for {LOCK_TIMEOUT:.0f} s",
                    hint="wait for the other process, or stop it",
                ) from None
            try:
                self._make_layout()
                yield
            finally:
                self._lock.release()

    def _make_layout(self) -> None:
        """Create missing files of the layout; needs the lock so that no list is overwritten."""
        if check_layout(self.root / "oci-layout"):
            return
        if not (self.root / "index.json").exists():
            write_index(self.root / "index.json", [])
        write_atomically(self.root / "oci-layout", LAYOUT)

    def lease(self) -> Lease:
        """Return this process's lease, creating it on the first call."""
        with self._guard:
            if self._lease is None:
                with self.locked():
                    sweep(self.root, partial=self._partial, leases=self._leases)
                    self._lease = Lease(self._leases)
            return self._lease

    def reserve(self, digests: Iterable[Digest]) -> None:
        """Protect content from removal by other processes until this store is closed."""
        wanted = list(digests)
        lease = self.lease()
        with self.locked():
            lease.add(wanted)

    @contextmanager
    def incoming_blob(self) -> Iterator[IncomingBlob]:
        """Yield a writer for a blob with an unknown digest; on success the blob is stored.

        Until a record refers to the blob, this process's lease keeps it; `discard` removes it
        earlier.

        Raises:
            StoreError: the store cannot be written.
        """
        lease = self.lease()
        aside = self._partial / f"{INCOMING}{os.urandom(8).hex()}.{lease.id}"
        what = f"write the image store at {self.root}"
        try:
            with disk_errors(what, in_store=True):
                file = aside.open("xb")
            with file:
                incoming = IncomingBlob(file)
                yield incoming
                with disk_errors(what, in_store=True):
                    sync_file(file)
            digest = incoming.descriptor("").digest
            self.reserve((digest,))
            self.blobs.adopt(aside, digest)
        finally:
            discard(aside)

    def close(self) -> None:
        """End this process's lease, and stop waiting for other processes."""
        self.blobs.close()
        self.release()

    def release(self) -> None:
        """End this process's lease; the next operation that needs one creates a new one."""
        with self._guard:
            if self._lease:
                with disk_errors(f"write the image store at {self.root}", in_store=True):
                    self._lease.close()
                self._lease = None

    def prepare(self) -> None:
        """Create the store's directories if they do not exist.

        Raises:
            StoreError: the store cannot be written.
        """
        with self.locked():
            pass

    def discard(self, digest: Digest) -> bool:
        """Remove content that is only needed by this process; return whether it was removed."""
        with self.locked():
            if self._lease:
                self._lease.drop(digest)
            return bool(self._collect((digest,)))

    def collect(self) -> dict[Digest, int]:
        """Remove all unused content; return the digests and sizes in bytes.

        Raises:
            StoreDamagedError: an image is damaged, so its content is unknown.
        """
        with self.locked():
            records = self.records()
            live = live_digests(self.graph, records, self._leases)
            self.origins.forget_others({r.origin for r in records if r.origin})
            return {
                digest: self.blobs.remove(digest)
                for digest in self.blobs.all()
                if digest not in live
            }

    def sweep(self, max_age: float = MAX_AGE) -> None:
        """Remove files of dead processes.

        Args:
            max_age: age from which unfinished downloads are removed (seconds).
        """
        with self.locked():
            sweep(self.root, partial=self._partial, leases=self._leases, max_age=max_age)

    def partial_sizes(self) -> list[int]:
        """Return the size in bytes of each unfinished file or directory, whether in use or not."""
        unfinished = self._partial.iterdir() if self._partial.is_dir() else ()
        return [size_of(path) for path in (*unfinished, *scratch_paths(self._private))]

    def leftover_sizes(self) -> list[int]:
        """Return the size in bytes of each unfinished file or directory that no process uses."""
        return [size_of(path) for path in abandoned_paths(self._partial, self._leases)]

    def edit(
        self, change: Callable[[list[Record]], list[Record]], *, rewrite: bool = False
    ) -> list[Record]:
        """Replace the records with a function's result, under the lock.

        Each name occurs once: a new record replaces those with its name. Unchanged records are not
        rewritten, since other tools may have written them. Referrers are removed with their
        subject.

        Args:
            change: returns the new records; gets the current ones.
            rewrite: also write new records that equal the old ones, since the list may contain
                invalid names that are ignored on reading.

        Returns:
            The records that are no longer in the list, whether removed or rewritten.

        Raises:
            DigestMismatchError: a new record's name contains the digest of other content.
            InvalidReferenceError: a new record's name parses as a digest.
        """
        with self.locked():
            listed = read_index(self.root / "index.json")
            before = [self._record(entry) for entry in listed.entries]
            after = unique_names(change(list(before)), before)
            lost = {id(r) for r in orphaned_referrers(self.graph, before, after)}
            after = [record for record in after if id(record) not in lost]
            if rewrite or after != before:
                kept_raw = {id(r): raw for r, raw in zip(before, listed.raw_entries, strict=True)}
                for record in after:
                    if id(record) not in kept_raw:
                        check_name(
                            record.name, record.reference, record.descriptor.digest, record.origin
                        )
                self._list(
                    [kept_raw.get(id(r)) or to_descriptor(r).to_json() for r in after], listed
                )
            kept = {id(record) for record in after}
            return [record for record in before if id(record) not in kept]

    def _list(self, entries: list[dict[str, Any]], before: ImageList) -> None:
        """Write the list; if the disk is full, free space for a shorter list.

        This only frees space that removing images would free anyway.
        """
        path = self.root / "index.json"
        shorter = len(entries) < len(before.entries)
        for free_space in (self._reserved_space.release, self._clear, self._collect_loose):
            try:
                write_index(path, entries, before)
                break
            except NoSpaceError:
                if not shorter:
                    raise
                free_space()
        else:
            write_index(path, entries, before)
        self._reserved_space.keep(path.stat().st_size)

    def _clear(self) -> None:
        sweep(self.root, partial=self._partial, leases=self._leases, max_age=0.0)

    def _collect_loose(self) -> None:
        with suppress(GhcrctlError):
            self.collect()

    def put(self, record: Record) -> Record | None:
        """Name an image; return the record that had the name, if any. See `put_all`."""
        return self.put_all([record])[0]

    def put_all(self, records: Sequence[Record]) -> list[Record | None]:
        """Name images, in order, with a single change of the list.

        An image that had one of the names is kept by digest, or as dangling.

        Returns:
            For each record, the previous record with its name.

        Raises:
            StoreDamagedError: content of an image is missing.
        """
        previous: list[Record | None] = []

        def change(before: list[Record]) -> list[Record]:
            named = NamedRecords(before)
            previous.extend([named.put(record) for record in records])
            return list(named)

        with self.locked():
            self.blobs.require(record.descriptor for record in records)
            self.blobs.sync()
            self.edit(change)
        return previous

    def remove(self, doomed: Iterable[Record]) -> tuple[Digest, ...]:
        """Remove records, and content that no other record or running process uses.

        Returns:
            The digests of removed content, parents first.
        """
        # Content is reported in the order of the records that used it.
        removed = dict.fromkeys(doomed)
        with self.locked():
            dropped = self.edit(lambda records: [r for r in records if r not in removed])
            # A rewritten record has replaced an older version, which may have been the last one
            # to use some content.
            roots = {r.descriptor.digest: r.descriptor for r in (*removed, *dropped)}
            return self._collect(self.graph.reached(roots.values()))

    def _collect(self, candidates: Iterable[Digest]) -> tuple[Digest, ...]:
        try:
            live = live_digests(self.graph, self.records(), self._leases)
        except GhcrctlError:
            # The content of a damaged image is unknown, so nothing is removed.
            return ()
        loose = (digest for digest in candidates if digest not in live)
        removed = tuple(digest for digest in loose if self.blobs.path(digest).exists())
        for digest in removed:
            self.blobs.remove(digest)
        return removed
