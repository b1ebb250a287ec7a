"""GitHub's records for each manifest of a registry: IDs, dates, tags and deletions."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.errors import ManifestUnknownError
from ghcrctl.oci.digest import Digest
from ghcrctl.server.memory_backend import MemoryBackend

if TYPE_CHECKING:
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor


@dataclass(slots=True)
class Clock:
    now: datetime = datetime(2026, 11, 1, tzinfo=timezone.utc)

    def advance(self, **spans: float) -> None:
        self.now += timedelta(**spans)


@dataclass(slots=True)
class Record:
    id: int
    descriptor: Descriptor
    created: datetime
    updated: datetime
    tags: list[str] = field(default_factory=list)
    deleted: datetime | None = None
    # The number of API reads for which it is not visible yet.
    hidden: int = 0

    @property
    def digest(self) -> str:
        return str(self.descriptor.digest)

    @property
    def age(self) -> tuple[datetime, int]:
        return self.created, self.id


@dataclass(slots=True)
class Package:
    """A package; ``active`` is sorted oldest first."""

    id: int
    created: datetime
    updated: datetime
    active: list[Record] = field(default_factory=list)
    by_id: dict[int, Record] = field(default_factory=dict)
    by_digest: dict[str, Record] = field(default_factory=dict)
    gone: dict[int, Record] = field(default_factory=dict)


class VersionedBackend(MemoryBackend):
    """A registry's content, in which each manifest is a version."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.packages: dict[str, Package] = {}
        self.deleted_packages: dict[str, tuple[Package, datetime]] = {}
        self.lag = 0
        self._ids = itertools.count(1001)

    def resolve(self, repository: str, name: str) -> Descriptor:
        """Find a package by name without searching all of them."""
        with self._lock:
            place = self._find(repository)
            digest = place.tags.get(name)
            if digest is None and ":" in name:
                digest = Digest.parse(name)
            found = place.manifests.get(digest) if digest else None
        if found is None:
            raise ManifestUnknownError(f"{repository} has no manifest `{name}`")
        return found

    def name(self, repository: str, tag: str | None, content: Content) -> None:
        super().name(repository, tag, content)
        with self._lock:
            self.clock.advance(seconds=1)
            self.note(repository, tag, content.descriptor, self.clock.now)

    def note(
        self, repository: str, tag: str | None, descriptor: Descriptor, moment: datetime
    ) -> None:
        """Create a version for a new manifest, or tag the existing one."""
        package = self.packages.setdefault(repository, Package(next(self._ids), moment, moment))
        package.updated = moment
        record = package.by_digest.get(str(descriptor.digest))
        if record is None:
            record = Record(next(self._ids), descriptor, moment, moment, hidden=self.lag)
            self._add(package, record)
        if tag is not None and tag not in record.tags:
            for other in package.active:
                if tag in other.tags:
                    other.tags.remove(tag)
                    other.updated = moment
            record.tags.append(tag)
            record.updated = moment

    def _add(self, package: Package, record: Record) -> None:
        bisect.insort(package.active, record, key=lambda r: r.age)
        package.by_id[record.id] = package.by_digest[record.digest] = record

    def remove(self, repository: str, record: Record) -> None:
        """Delete a version with its tags, also from the registry."""
        with self._lock:
            package = self.packages[repository]
            package.active.remove(record)
            del package.by_id[record.id], package.by_digest[record.digest]
            place = self._find(repository)
            del place.manifests[record.descriptor.digest]
            for tag in record.tags:
                place.tags.pop(tag, None)
            record.deleted = self.clock.now
            package.gone[record.id] = record

    def bring_back(self, repository: str, record: Record, *, tags: bool) -> None:
        """Restore a version, optionally with its tags that are still free."""
        with self._lock:
            package = self.packages[repository]
            del package.gone[record.id]
            place = self._find(repository)
            place.manifests[record.descriptor.digest] = record.descriptor
            free = [tag for tag in record.tags if tags and tag not in place.tags]
            place.tags |= dict.fromkeys(free, record.descriptor.digest)
            record.tags, record.deleted = free, None
            self._add(package, record)

    def remove_package(self, repository: str) -> None:
        with self._lock:
            self.deleted_packages[repository] = (self.packages[repository], self.clock.now)
            for record in list(self.packages[repository].active):
                self.remove(repository, record)
            del self.packages[repository]

    def bring_package_back(self, repository: str, *, tags: bool = True) -> None:
        with self._lock:
            self.packages[repository], moment = self.deleted_packages.pop(repository)
            for record in list(self.packages[repository].gone.values()):
                if record.deleted == moment:
                    self.bring_back(repository, record, tags=tags)
