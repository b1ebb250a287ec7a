"""Referrers in the store, such as signatures, attestations and SBOMs.

A referrer is kept as long as its subject. A referrer without a tag of its own is deleted with its
subject; one whose subject was never in the store is treated like any other image.

Spec: OCI distribution spec 1.1, "Listing Referrers" and "Referrers Tag Schema".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.graph import ManifestGraph
    from ghcrctl.store.records import Record

# The spec's tag is `sha256-DIGEST`; cosign appends `.sig`, `.att` or `.sbom`.
_REFERRERS_TAG = re.compile(r"(?P<algorithm>[a-z0-9]+)-(?P<encoded>[0-9a-f]+)(?:\.[a-z]+)?\Z")


def is_bound(record: Record) -> bool:
    """Return whether a record has no tag other than a referrers tag."""
    return not record.tag or _digest_in_tag(record.tag) is not None


def subject_of(graph: ManifestGraph, record: Record) -> Digest | None:
    """Return the digest that a record refers to, by its manifest or by its tag."""
    by_tag = _digest_in_tag(record.tag) if record.tag else None
    found = by_tag or graph.links_if_readable(record.descriptor).subject
    # Some registries resolve a referrers tag to the subject itself, which is not a referrer.
    return None if found == record.descriptor.digest else found


def _digest_in_tag(tag: str) -> Digest | None:
    match = _REFERRERS_TAG.match(tag)
    if not match:
        return None
    try:
        return Digest.parse(f"{match['algorithm']}:{match['encoded']}")
    except InvalidDigestError:
        return None


def is_bound_referrer(graph: ManifestGraph, record: Record) -> bool:
    """Return whether a record is a referrer that is deleted with its subject."""
    return is_bound(record) and subject_of(graph, record) is not None


def dependent_records(graph: ManifestGraph, records: Sequence[Record]) -> list[Record]:
    """Return the records that belong to others: referrers, and manifests listed by an index.

    A manifest that was pushed before its index has a record by digest, which is redundant once the
    index exists.
    """
    referrers = AttachedReferrers(graph, records).referrers_among(records)
    listed = listed_by_indexes(graph, records)
    parts = [r for r in records if not r.tag and (r.repository, r.descriptor.digest) in listed]
    return [*referrers, *parts]


def listed_by_indexes(graph: ManifestGraph, records: Iterable[Record]) -> set[tuple[str, Digest]]:
    """Return all content below the indexes among records, each with the index's repository."""
    indexes = [record for record in records if record.descriptor.is_index]
    return {
        (index.repository, child)
        for index in indexes
        for child in graph.reached([index.descriptor])
        if child != index.descriptor.digest
    }


class AttachedReferrers:
    """The referrers among a store's records, by subject.

    Args:
        graph: the manifest graph.
        records: all records to consider as referrers.
    """

    def __init__(self, graph: ManifestGraph, records: Iterable[Record]) -> None:
        self._graph = graph
        found = ((record, subject_of(graph, record)) for record in records)
        self._subjects = [(record, subject) for record, subject in found if subject]

    def referrers_among(self, records: Sequence[Record]) -> list[Record]:
        """Return the referrers whose subject is one of the records or below one."""
        if not self._subjects:
            return []
        held = self._graph.reached(record.descriptor for record in records)
        origins = {record.origin for record in records}
        bound = {_key(r) for r, subject in self._subjects if subject in held or subject in origins}
        return self.kept_by(record for record in records if _key(record) not in bound)

    def kept_by(self, records: Iterable[Record]) -> list[Record]:
        """Return the referrers of records, recursively.

        If a platform was pulled from an index, the index counts as a subject too: signatures often
        refer to the index instead of the platform's image.
        """
        held: dict[Digest, Descriptor] = {}
        origins: set[Digest] = set()
        found: list[Record] = []
        fresh, left = list(records), self._subjects
        while fresh:
            self._graph.extend(held, (record.descriptor for record in fresh))
            origins.update(record.origin for record in fresh if record.origin)
            fresh = [r for r, subject in left if subject in held or subject in origins]
            left = [(r, s) for r, s in left if s not in held and s not in origins]
            found += fresh
        return found


def orphaned_referrers(
    graph: ManifestGraph, before: Sequence[Record], after: Sequence[Record]
) -> list[Record]:
    """Return the referrers in ``after`` whose subject was only in ``before``.

    Args:
        graph: the manifest graph.
        before: the records before a change.
        after: the records after the change.
    """
    kept = {id(record) for record in after}
    if all(id(record) in kept for record in before):
        return []
    bound = [record for record in after if is_bound(record)]
    attached = AttachedReferrers(graph, bound)
    once = {_key(record) for record in attached.referrers_among(before)}
    left, lost = list(after), bound
    while lost:
        # A removed referrer no longer keeps its own referrers.
        now = {_key(record) for record in attached.referrers_among(left)}
        lost = [r for r in left if is_bound(r) and _key(r) in once and _key(r) not in now]
        removed = {id(record) for record in lost}
        left = [record for record in left if id(record) not in removed]
    kept = {id(record) for record in left}
    return [record for record in after if id(record) not in kept]


def _key(record: Record) -> tuple[str, Digest]:
    return record.name, record.descriptor.digest
