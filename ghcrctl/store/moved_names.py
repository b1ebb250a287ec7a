"""What becomes of the other records when a record is written: one name is one image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.store.records import Record


def is_replaced(record: Record, by: Record) -> bool:
    """Tell whether a nameless record gets a name, or a record is written again."""
    same = record.descriptor.digest == by.descriptor.digest
    return same and record.name in {"", by.name}


def displaced(record: Record, by: Record) -> Record:
    """Return what becomes of a record when another one is written: one reference is one image."""
    moved = record.demoted() if record.name and record.name == by.name else record
    # The content of a digest itself keeps the name; one platform of it makes way for another.
    is_exact = moved.descriptor.digest in {by.descriptor.digest, by.origin}
    taken = moved.name == by.name
    if "@" in moved.name and not is_exact:
        # Only such a name can be one by digest, and to parse a name for each record takes long.
        taken = taken or moved.name == by.repo_digest
    return replace(moved, name="") if moved.name and taken else moved


def each_once(records: Iterable[Record], before: list[Record]) -> list[Record]:
    """Let a new record take the place of others with its name; what was there before stays."""
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
