"""Updates the other records when a record is written so that each name has one image."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.records import Record


class NamedRecords:
    """A list of records that updates the affected records when one is added.

    An index over names and digests avoids comparing each new record with all others.

    Args:
        records: the existing records.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._records: dict[int, Record] = {}
        self._places: dict[tuple[str, Digest | None], set[int]] = {}
        self._origins: dict[Digest | None, set[int]] = {}
        self._next = count()
        for record in records:
            self._keep(next(self._next), record)

    def __iter__(self) -> Iterator[Record]:
        """Iterate over the records in order."""
        return iter(self._records[place] for place in sorted(self._records))

    def put(self, record: Record) -> Record | None:
        """Add a record; return the one that had its name."""
        previous: Record | None = None
        for place in sorted(self._affected(record)):
            other = self._records.pop(place)
            self._places[_place_key(other)].discard(place)
            self._origins[other.origin].discard(place)
            if other.name and other.name == record.name:
                previous = previous or other
            if not is_replaced(other, record):
                self._keep(place, displaced(other, record))
        self._keep(next(self._next), record)
        return previous

    def _affected(self, by: Record) -> set[int]:
        """Return the places of all records that `is_replaced` or `displaced` may change."""
        keys = {("", by.descriptor.digest), _place_key(by), (by.repo_digest or "", None)}
        of_digest = self._origins.get(by.origin, set()) if by.name == by.repo_digest else set()
        return of_digest.union(*(self._places.get(key, ()) for key in keys))

    def _keep(self, place: int, record: Record) -> None:
        self._records[place] = record
        self._places.setdefault(_place_key(record), set()).add(place)
        self._origins.setdefault(record.origin, set()).add(place)


def _place_key(record: Record) -> tuple[str, Digest | None]:
    return (record.name, None if record.name else record.descriptor.digest)


def is_replaced(record: Record, by: Record) -> bool:
    """Check whether a record makes another one redundant: same content, same or no name."""
    same = record.descriptor.digest == by.descriptor.digest
    return same and record.name in {"", by.name}


def displaced(record: Record, by: Record) -> Record:
    """Return the updated record after another one is written; each name has one image."""
    moved = record.demoted() if record.name and record.name == by.name else record
    # The content with this digest keeps the name; one platform of it gives way to another.
    is_exact = moved.descriptor.digest in {by.descriptor.digest, by.origin}
    taken = moved.name == by.name
    if "@" in moved.name and not is_exact:
        # Only these names contain a digest, and parsing every name is slow.
        taken = taken or moved.name == by.repo_digest
    if moved.name and taken:
        return replace(moved, name="")
    is_part = by.descriptor.digest != by.origin and "@" in by.name
    if is_part and not is_exact and moved.repo_digest == by.name:
        # The digest now names another platform; the tag keeps its own.
        return replace(moved, origin=None, index=moved.part_of)
    return moved


def unique_names(records: Iterable[Record], before: list[Record]) -> list[Record]:
    """Return records, except those whose name a new record has taken."""
    listed = list(records)
    known = {id(record) for record in before}
    taken = {_key(record) for record in listed if id(record) not in known}
    named: dict[object, Record] = {}
    for record in listed:
        key = _key(record)
        named[key if key in taken else id(record)] = record
    return list(named.values())


def _key(record: Record) -> str:
    return record.name or f"<none>@{record.descriptor.digest}"
