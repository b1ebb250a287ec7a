"""Take platforms out of a local image: its name stands for a smaller index afterwards.

What belongs here: which entries go. What does not: removing images as a whole (`remove`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace
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
    """What became of an image.

    Args:
        names: the names that stand for the smaller index.
        digest: the smaller index.
        deleted: content that nothing else needed.
    """

    names: tuple[str, ...]
    digest: Digest
    deleted: tuple[Digest, ...]


def remove_platforms(session: Session, text: str, platforms: Sequence[Platform]) -> Reduced:
    """Remove the images for some platforms, and what attests them.

    Args:
        session: the run.
        text: a name, or an ID, which stands for all names of the image.
        platforms: which; at least one other stays.

    Raises:
        NoSuchImageError: nothing fits the text.
        RefusedError: the image is for one platform only, or none would be left.
        PlatformNotFoundError: it is not for one of the platforms.
    """
    found = find(session, text)
    if found.by == "digest":
        raise RefusedError(
            f"{text} names one index for ever, which cannot become a smaller one",
            hint="give the name with its tag, or the ID",
        )
    records = found.named or found.records
    if len({record.descriptor.digest for record in records}) > 1:
        raise RefusedError(
            f"{text} stands for several indexes", hint="give each by its name and tag"
        )
    smaller = _without(session, text, records[0], platforms)
    made = MemoryPlace("made here")
    made.put(smaller.descriptor, smaller.raw)
    store = session.store
    store.reserve((smaller.descriptor.digest,))
    StorePlace(store).write(Content(made, smaller.descriptor))
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


def _without(session: Session, text: str, record: Record, platforms: Sequence[Platform]) -> Index:
    root = record.descriptor
    parsed = parse(read_metadata(session.store.blobs, root), root.media_type)
    if not isinstance(parsed, Index):
        raise RefusedError(
            f"{text} is an image for one platform", hint=f"remove it as a whole: ghcrctl rmi {text}"
        )
    smaller = parsed.without(tuple(platforms))
    if not smaller.platforms:
        raise RefusedError(
            f"no platform of {text} would be left",
            hint=f"remove it as a whole: ghcrctl rmi {text}",
        )
    return smaller
