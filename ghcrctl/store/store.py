"""The store as a whole: its directory, its lock, its records.

What belongs here: finding, naming and removing records. What does not: moving content in and out
(``place``).
"""

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
from ghcrctl.store.attached_referrers import left_alone
from ghcrctl.store.blobs import Blobs
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.garbage_collection import live_digests
from ghcrctl.store.graph import ManifestGraph
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.incoming_blob import Arrival
from ghcrctl.store.index import LAYOUT, check_layout, read_entries, read_index, write_index
from ghcrctl.store.leases import Lease
from ghcrctl.store.locks import acquire_in_place
from ghcrctl.store.moved_names import NamedRecords, each_once
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
from ghcrctl.store.reserved_space import Spare
from ghcrctl.store.scratch import size_of
from ghcrctl.store.stale_files import ARRIVING, MAX_AGE, abandoned_paths, scratch_paths, sweep

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
        root: its directory; made at the first write.
        prefer: the platform whose image stands for an index in listings.
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
        self._spare = Spare(self._private / "spare")
        self._lease: Lease | None = None
        # Both may be taken again by the thread that holds them.
        self._guard = threading.RLock()
        self._lock = FileLock(self._private / "lock", timeout=LOCK_TIMEOUT, thread_local=False)

    @property
    def manifest_lists(self) -> ManifestLists:
        """The manifest lists that are not pushed yet."""
        from ghcrctl.store.manifest_lists import ManifestLists

        return ManifestLists(self._private / "manifests")

    # Reading: no lock, since `index.json` is replaced as a whole.

    def records(self) -> list[Record]:
        """Return all records, oldest name first.

        Raises:
            StoreDamagedError: the list cannot be read.
        """
        return [self._record(entry) for entry in self.entries()]

    def entries(self) -> tuple[Descriptor, ...]:
        """Return the entries of the list as written, including those of other programs.

        Raises:
            StoreDamagedError: the list cannot be read.
        """
        return read_index(self.root / "index.json").entries

    def listing(self) -> list[Listed]:
        """Return what a listing shows of all records, in their order; quicker than the records.

        Raises:
            StoreDamagedError: the list cannot be read.
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
        """Read a record; facts that another tool did not write are computed."""
        record = from_descriptor(entry)
        if record:
            return record
        name = true_name(entry.annotations.get(NAME, ""), entry.digest)
        try:
            facts = compute_facts(self.blobs, entry, self.prefer)
        except GhcrctlError:
            facts = Facts(entry.digest, size=entry.size, kind=entry.media_type)
        return Record(entry, name, facts)

    # Writing: under the lock, for moments.

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock: against other processes and against other threads of this one.

        Raises:
            StoreLockedError: another process holds it for longer than a minute.
            StoreError: the store cannot be written.
        """
        with self._guard, disk_errors(f"write the image store at {self.root}", in_store=True):
            for folder in (self.root / "blobs" / "sha256", self._leases, self._partial):
                make_directories(folder)
            try:
                acquire_in_place(self._lock)
            except Timeout:
                raise StoreLockedError(
                    f"another process has held the lock of {self.root} for {LOCK_TIMEOUT:.0f} s",
                    hint="wait for it, or end it; a lock ends with its process",
                ) from None
            try:
                self._make_layout()
                yield
            finally:
                self._lock.release()

    def _make_layout(self) -> None:
        """Write what makes a directory a layout, once; under the lock, lest it empty the list."""
        if check_layout(self.root / "oci-layout"):
            return
        if not (self.root / "index.json").exists():
            write_index(self.root / "index.json", [])
        write_atomically(self.root / "oci-layout", LAYOUT)

    def lease(self) -> Lease:
        """Return this process's lease, taking it at the first call."""
        with self._guard:
            if self._lease is None:
                with self.locked():
                    sweep(self.root, partial=self._partial, leases=self._leases)
                    self._lease = Lease(self._leases)
            return self._lease

    def reserve(self, digests: Iterable[Digest]) -> None:
        """Keep content from being removed by others until this store is closed."""
        wanted = list(digests)
        lease = self.lease()
        with self.locked():
            lease.add(wanted)

    @contextmanager
    def arrival(self) -> Iterator[Arrival]:
        """Give what takes content whose digest nobody knows yet; it is here if this ends well.

        Until something refers to it, it stays as long as this process's lease; `discard` removes it
        before.

        Raises:
            StoreError: the store cannot be written.
        """
        lease = self.lease()
        aside = self._partial / f"{ARRIVING}{os.urandom(8).hex()}.{lease.id}"
        what = f"write the image store at {self.root}"
        try:
            with disk_errors(what, in_store=True):
                file = aside.open("xb")
            with file:
                arrival = Arrival(file)
                yield arrival
                with disk_errors(what, in_store=True):
                    sync_file(file)
            digest = arrival.descriptor("").digest
            self.reserve((digest,))
            self.blobs.adopt(aside, digest)
        finally:
            discard(aside)

    def close(self) -> None:
        """End this process's lease, and its waiting for others."""
        self.blobs.close()
        self.release()

    def release(self) -> None:
        """End this process's lease; whatever needs one takes another."""
        with self._guard:
            if self._lease:
                with disk_errors(f"write the image store at {self.root}", in_store=True):
                    self._lease.close()
                self._lease = None

    def prepare(self) -> None:
        """Make the store's directories, where they are not there yet.

        Raises:
            StoreError: the store cannot be written.
        """
        with self.locked():
            pass

    def discard(self, digest: Digest) -> bool:
        """Remove content that nothing but this process needs; tell whether that was so."""
        with self.locked():
            if self._lease:
                self._lease.drop(digest)
            return bool(self._collect((digest,)))

    def collect(self) -> dict[Digest, int]:
        """Remove all content that nothing needs; return what it was and its bytes.

        Raises:
            StoreDamagedError: of a damaged image it is not known what it needs.
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
        """Remove leftovers of dead processes.

        Args:
            max_age: age from which unfinished downloads are removed, in seconds.
        """
        with self.locked():
            sweep(self.root, partial=self._partial, leases=self._leases, max_age=max_age)

    def partial_sizes(self) -> list[int]:
        """Return the bytes of each unfinished file or directory, in use or left behind."""
        unfinished = self._partial.iterdir() if self._partial.is_dir() else ()
        return [size_of(path) for path in (*unfinished, *scratch_paths(self._private))]

    def leftover_sizes(self) -> list[int]:
        """Return the bytes of each unfinished file or directory that no process works on."""
        return [size_of(path) for path in abandoned_paths(self._partial, self._leases)]

    def edit(
        self, change: Callable[[list[Record]], list[Record]], *, rewrite: bool = False
    ) -> list[Record]:
        """Replace the records by what a function makes of them, under the lock.

        Each name occurs once: a new record replaces those with its name. Records that stay are not
        rewritten, since other tools may have written them. Referrers whose subject is removed are
        removed with it.

        Args:
            change: gets the records as they are read.
            rewrite: also write new records that equal the old ones: the list may hold false names,
                which are read as none.

        Returns:
            The records that are in the list no longer, whether removed or rewritten.

        Raises:
            DigestMismatchError: a new record's name has the digest of other content.
            InvalidReferenceError: a new record's name reads as a digest.
        """
        with self.locked():
            listed = read_index(self.root / "index.json")
            before = [self._record(entry) for entry in listed.entries]
            after = each_once(change(list(before)), before)
            lost = {id(record) for record in left_alone(self.graph, before, after)}
            after = [record for record in after if id(record) not in lost]
            if rewrite or after != before:
                kept = {id(r): raw for r, raw in zip(before, listed.raw_entries, strict=True)}
                for record in after:
                    if id(record) not in kept:
                        check_name(
                            record.name, record.reference, record.descriptor.digest, record.origin
                        )
                self._list([kept.get(id(r)) or to_descriptor(r).to_json() for r in after], listed)
            staying = {id(record) for record in after}
            return [record for record in before if id(record) not in staying]

    def _list(self, entries: list[dict[str, Any]], before: ImageList) -> None:
        """Write the list; on a full disk room is made for one that is shorter.

        Nothing that anybody needs goes for it: only what removing images would free anyway.
        """
        path = self.root / "index.json"
        shorter = len(entries) < len(before.entries)
        for make_room in (self._spare.release, self._clear, self._collect_loose):
            try:
                write_index(path, entries, before)
                break
            except NoSpaceError:
                if not shorter:
                    raise
                make_room()
        else:
            write_index(path, entries, before)
        self._spare.keep(path.stat().st_size)

    def _clear(self) -> None:
        sweep(self.root, partial=self._partial, leases=self._leases, max_age=0.0)

    def _collect_loose(self) -> None:
        with suppress(GhcrctlError):
            self.collect()

    def put(self, record: Record) -> Record | None:
        """Give an image a name; return the record that had it, if any. See `put_all`."""
        return self.put_all([record])[0]

    def put_all(self, records: Sequence[Record]) -> list[Record | None]:
        """Give images their names, in order, with one change of the list.

        What had a name before is kept under its digest, or dangling.

        Returns:
            For each record the one that had its name.

        Raises:
            StoreDamagedError: an image is not here (any more).
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
        """Remove records, and the content that no record and no running process needs any more.

        Returns:
            The digests of removed content, parents first.
        """
        # In their order: content is reported in the order of what needed it.
        gone = dict.fromkeys(doomed)
        with self.locked():
            dropped = self.edit(lambda records: [r for r in records if r not in gone])
            # A record that a rewritten one replaced is in the list no longer, but may have been
            # the last that needed some content.
            roots = {r.descriptor.digest: r.descriptor for r in (*gone, *dropped)}
            return self._collect(self.graph.reached(roots.values()))

    def _collect(self, candidates: Iterable[Digest]) -> tuple[Digest, ...]:
        try:
            live = live_digests(self.graph, self.records(), self._leases)
        except GhcrctlError:
            # Of a damaged image it is not known what it needs, so nothing is removed.
            return ()
        loose = (digest for digest in candidates if digest not in live)
        removed = tuple(digest for digest in loose if self.blobs.path(digest).exists())
        for digest in removed:
            self.blobs.remove(digest)
        return removed
