"""Remove platforms from a local image: its names then resolve to a smaller index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import RefusedError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.common.find import find
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.place import StorePlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record


@dataclass(frozen=True, slots=True)
class Reduced:
    """The result of removing platforms from an image.

    Args:
        names: the names that now resolve to the smaller index.
        digest: the digest of the smaller index.
        deleted: content that nothing else needed.
    """

    names: tuple[str, ...]
    digest: Digest
    deleted: tuple[Digest, ...]


def remove_platforms(session: Session, text: str, platforms: Sequence[Platform]) -> Reduced:
    """Remove the images for some platforms, and their attestations.

    Args:
        session: the run.
        text: a name, or an ID, which means all names of the image.
        platforms: the platforms to remove; at least one other must remain.

    Raises:
        NoSuchImageError: no image matches the text.
        RefusedError: the image has only one platform, or none would remain.
        PlatformNotFoundError: the image does not have one of the platforms.
    """
    found = find(session, text)
    if found.by == "digest":
        raise RefusedError(
            f"cannot remove platforms from {text}: a digest names an index that cannot change",
            hint="use the name with its tag, or the ID",
        )
    records = found.named or found.records
    if len({record.descriptor.digest for record in records}) > 1:
        raise RefusedError(
            f"{text} refers to multiple indexes", hint="use the name and tag of each"
        )
    smaller = _without_platforms(session, text, records[0], platforms)
    memory = MemoryPlace("a new index")
    memory.put(smaller.descriptor, smaller.raw)
    store = session.store
    store.reserve((smaller.descriptor.digest,))
    StorePlace(store).write(Content(memory, smaller.descriptor))
    facts = compute_facts(store.blobs, smaller.descriptor, store.prefer)
    old = records[0].descriptor.digest
    changed: list[Record] = []

    def change(listed: list[Record]) -> list[Record]:
        after = []
        for record in listed:
            hit = record.descriptor.digest == old and any(record.name == r.name for r in records)
            after.append(
                replace(record, descriptor=smaller.descriptor, facts=facts) if hit else record
            )
            if hit:
                changed.append(record)
        return after

    # Content that only the removed manifests and their referrers needed is deleted.
    deleted = store.remove(store.edit(change))
    names = tuple(record.name or str(record.facts.image_id) for record in changed)
    return Reduced(names, smaller.descriptor.digest, deleted)


def _without_platforms(
    session: Session, text: str, record: Record, platforms: Sequence[Platform]
) -> Index:
    root = record.descriptor
    parsed = parse(read_metadata(session.store.blobs, root), root.media_type)
    if not isinstance(parsed, Index):
        raise RefusedError(
            f"cannot remove platforms from {text}: it has only one",
            hint=f"remove the image: ghcrctl rmi {text}",
        )
    smaller = parsed.without(tuple(platforms))
    if not smaller.platforms:
        raise RefusedError(
            f"cannot remove platforms from {text}: none would remain",
            hint=f"remove the image: ghcrctl rmi {text}",
        )
    return smaller
