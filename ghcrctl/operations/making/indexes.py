"""Indexes: make and change them, at a registry or in the local store.

What belongs here: which entries an index has. What does not: moving what they stand for
(``transfer``). An index is never changed in place: a new one takes over its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import NoSuchImageError, UnsupportedError, UsageError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.reference import Reference
from ghcrctl.operations.common.find import find, is_id
from ghcrctl.operations.common.index_entries import (
    attests,
    changed_entry,
    check_platforms,
    find_entries,
    is_helper_entry,
    make_index,
    merged_annotations,
)
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.index_entries import Change
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.transfer.events import Observer

    Place = Repository | StorePlace
    SourcePlace = RepositorySource | StorePlace


# Of an image that has only an ID.
NAMELESS = Reference("", "<none>")


@dataclass(frozen=True, slots=True)
class End:
    """An index, or an image, and where it is.

    Args:
        reference: its name.
        local: whether it is in the local store, and not at its registry.
        root: its digest, where an image of the store is meant by its ID or digest.
    """

    reference: Reference
    local: bool = False
    root: Digest | None = None


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image or an index that was made.

    Args:
        end: what it is called, and whether that is in the local store.
        descriptor: what that is now.
        previous: the digest that its tag had before, where it replaced another image.
    """

    end: End
    descriptor: Descriptor
    previous: Digest | None = None

    @property
    def reference(self) -> Reference:
        """Its name."""
        return self.end.reference

    @property
    def digest(self) -> Digest:
        """Its digest."""
        return self.descriptor.digest


def end_of(session: Session, text: str, *, local: bool) -> End:
    """Read a name: a local one, or one asked for as local, is in the store."""
    reference = session.parse(text).tagged()
    return End(reference, local or reference.is_local)


def source_end(session: Session, text: str, *, local: bool) -> End:
    """Parse the name of an image or, in the local store, its ID or digest.

    Raises:
        AmbiguousIdError: the start of an ID fits several images.
        InvalidReferenceError: it is neither a name nor an ID that is here.
    """
    found = _by_id(session, text, local=local)
    return found or end_of(session, text, local=local)


def _by_id(session: Session, text: str, *, local: bool) -> End | None:
    if not (is_id(text) or (local and "@" in text)):
        return None
    try:
        found = find(session, text)
    except NoSuchImageError:
        return None
    if found.by == "name":
        return None
    record = found.record
    return End(record.reference or NAMELESS, local=True, root=record.descriptor.digest)


def create_index(
    session: Session,
    target: End,
    sources: Sequence[End],
    *,
    annotations: Mapping[str, str],
    observer: Observer = ignore,
) -> Descriptor:
    """Make an index of images, and of the images of indexes; one that has the name is replaced.

    Args:
        session: the run.
        target: what it is called, and where it goes.
        sources: what it lists; what is not at the target's place is brought there.
        annotations: of the index.
        observer: watches what moves.

    Raises:
        UsageError: there is nothing to list, or two are for one platform.
        NotFoundError: a source is not there.
    """
    place = _place(session, target)
    entries = [e for source in sources for e in _bring(session, source, target, observer)]
    if not entries:
        raise UsageError("an index needs images to list")
    return _write(place, target, entries, annotations)


def add_to_index(
    session: Session, target: End, sources: Sequence[End], observer: Observer = ignore
) -> Descriptor:
    """Add images to an index; one for the same platform takes the place of another."""
    place, index = read_index(session, target)
    added = [e for source in sources for e in _bring(session, source, target, observer)]
    taken = {entry.platform for entry in added}
    kept = [e for e in index.manifests if e.platform not in taken or is_helper_entry(e)]
    return _write(place, target, [*kept, *added], index.annotations)


def remove_from_index(session: Session, target: End, chosen: Sequence[str]) -> Descriptor:
    """Take entries out of an index, and what attests them.

    Args:
        session: the run.
        target: the index.
        chosen: platforms or digests.

    Raises:
        PlatformNotFoundError: the index has no such entry.
        UsageError: nothing would be left.
    """
    place, index = read_index(session, target)
    gone = {
        d
        for text in chosen
        for d in find_entries(session, index.manifests, text, local=target.local)
    }
    kept = [e for e in index.manifests if e.digest not in gone and not attests(e, gone)]
    if not kept:
        raise UsageError(
            f"nothing would be left of {target.reference}",
            hint="remove its name instead, with: ghcrctl rmi" if target.local else None,
        )
    return _write(place, target, kept, index.annotations)


def annotate_index(session: Session, target: End, chosen: str, change: Change) -> Descriptor:
    """Set annotations, or a platform, of an entry; annotations of the index itself without one.

    Args:
        session: the run.
        target: the index.
        chosen: a platform or a digest; empty for the index itself.
        change: what is set.

    Raises:
        UsageError: a platform is to be set, and no entry is named.
    """
    if not chosen and change.has_platform:
        raise UsageError("say which entry, by its platform or digest")
    place, index = read_index(session, target)
    if not chosen:
        annotations = merged_annotations(index.annotations, change.annotations)
        return _write(place, target, list(index.manifests), annotations)
    meant = find_entries(session, index.manifests, chosen, local=target.local)
    entries = [changed_entry(e, change) if e.digest in meant else e for e in index.manifests]
    return _write(place, target, entries, index.annotations)


def read_manifest(session: Session, end: End) -> Manifest | Index:
    """Return what a name stands for."""
    place = _source(session, end)
    descriptor = place.resolve(_name(end))
    return parse(read_metadata(place, descriptor), descriptor.media_type)


def image_id_of(session: Session, end: End, made: Descriptor) -> Digest | None:
    """Return the ID of an image, which is the digest of its config; an index has none."""
    parsed = parse(read_metadata(_place(session, end), made), made.media_type)
    return parsed.config.digest if isinstance(parsed, Manifest) and parsed.is_image else None


def read_entries(session: Session, end: End) -> list[tuple[Descriptor, Manifest | Index]]:
    """Return an index's entries with what they stand for; for an image itself alone."""
    parsed = read_manifest(session, end)
    if isinstance(parsed, Manifest):
        return [(parsed.descriptor, parsed)]
    place = _source(session, end)
    return [(e, parse(read_metadata(place, e), e.media_type)) for e in parsed.manifests]


def source_of(session: Session, end: End, *, is_replaced: bool = False) -> tuple[SourcePlace, str]:
    """Return where to read an image, and its name there.

    A tag that is about to be replaced is read from its registry: a mirror may be behind.
    """
    place = _place(session, end) if is_replaced else _source(session, end)
    return place, _name(end)


def sink_of(session: Session, end: End) -> tuple[Place, str]:
    """Return where to write an image, and its name there."""
    return _place(session, end), _name(end)


def _source(session: Session, end: End) -> SourcePlace:
    return StorePlace(session.store) if end.local else session.source(end.reference)


def _place(session: Session, end: End) -> Place:
    return StorePlace(session.store) if end.local else session.repository(end.reference)


def _name(end: End) -> str:
    if end.root:
        return str(end.root)
    return str(end.reference) if end.local else end.reference.target


def read_index(session: Session, target: End) -> tuple[Place, Index]:
    """Return an index that is to be changed, and its place.

    Raises:
        UnsupportedError: the name is that of one image.
    """
    place = _place(session, target)
    descriptor = place.resolve(_name(target))
    parsed = parse(read_metadata(place, descriptor), descriptor.media_type)
    if not isinstance(parsed, Index):
        raise UnsupportedError(
            f"{target.reference} is an image, not an index",
            hint=f"ghcrctl manifest create {target.reference} {target.reference} IMAGE...",
        )
    return place, parsed


def _bring(session: Session, source: End, target: End, observer: Observer) -> list[Descriptor]:
    """Make a source's images exist where the index is; return its entries."""
    entries = entries_of(session, source)
    for entry in entries:
        transfer_entry(session, entry, source, target, observer)
    return entries


def entries_of(session: Session, source: End) -> list[Descriptor]:
    """Return the entries that an image, or the images of an index, have in another index."""
    origin = _source(session, source)
    root = origin.resolve(_name(source))
    parsed = parse(read_metadata(origin, root), root.media_type)
    if isinstance(parsed, Manifest):
        return [replace(parsed.descriptor, platform=_platform(origin, parsed))]
    return list(parsed.manifests)


def transfer_entry(
    session: Session, entry: Descriptor, source: End, target: End, observer: Observer
) -> None:
    """Make an entry's image exist where the index is."""
    origin, place = _source(session, source), _place(session, target)
    plan = make_plan(
        origin,
        place,
        entry,
        skip_foreign=not target.local,
        optional_foreign=target.local,
        jobs=session.jobs,
    )
    mounted = mount_source(session, source, target)
    known: dict[Digest, tuple[str, ...]] = {}
    if mounted:
        known = {step.descriptor.digest: (mounted,) for step in plan.steps}
    with session.workers() as workers:
        execute(plan, TransferOptions(workers, session.retry, known), observer)


def mount_source(session: Session, source: End, target: End) -> str | None:
    """Return the repository that the target's registry can mount a source's blobs from."""
    if source.local or target.local:
        return None
    return session.resolver.mount_source(source.reference, target.reference)


def _platform(place: SourcePlace, manifest: Manifest) -> Platform | None:
    if not manifest.is_image:
        return None
    return ImageConfig.parse(read_metadata(place, manifest.config)).platform


def _write(
    place: Place, target: End, entries: list[Descriptor], annotations: Mapping[str, str]
) -> Descriptor:
    """Write an index under its name."""
    check_platforms(target.reference, entries)
    made, root = make_index(entries, annotations)
    place.tag(Content(made, root), str(target.reference) if target.local else _tag(target))
    return root


def _tag(target: End) -> str:
    if not target.reference.tag:
        raise UsageError(f"{target.reference} names no tag that the index could have")
    return target.reference.tag
