"""Create and change indexes, at a registry or in the local store.

An index is never changed in place: a new one gets its name.
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
    apply_change,
    build_index,
    check_platforms,
    find_entries,
    is_attestation,
    is_attestation_of,
    merge_annotations,
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
    from ghcrctl.operations.common.index_entries import EntryChange
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.transfer.events import Observer

    Place = Repository | StorePlace
    SourcePlace = RepositorySource | StorePlace


# The reference of an image that has only an ID.
NAMELESS = Reference("", "<none>")


@dataclass(frozen=True, slots=True)
class IndexTarget:
    """The name of an image or index, and where it is.

    Args:
        reference: its name.
        local: whether it is in the local store rather than at its registry.
        root: its digest, if a local image was given by ID or digest.
    """

    reference: Reference
    local: bool = False
    root: Digest | None = None


@dataclass(frozen=True, slots=True)
class NewImage:
    """A new image or index.

    Args:
        end: its name, and whether it is in the local store.
        descriptor: its manifest or index.
        previous: the previous digest of its tag, if it replaced another image.
    """

    end: IndexTarget
    descriptor: Descriptor
    previous: Digest | None = None

    @property
    def reference(self) -> Reference:
        """The name."""
        return self.end.reference

    @property
    def digest(self) -> Digest:
        """The digest."""
        return self.descriptor.digest


def parse_index_target(session: Session, text: str, *, local: bool) -> IndexTarget:
    """Parse a name; a local name, or any name if ``local`` is set, is in the store."""
    reference = session.parse(text).tagged()
    return IndexTarget(reference, local or reference.is_local)


def parse_source(session: Session, text: str, *, local: bool) -> IndexTarget:
    """Parse the name of an image or, in the local store, its ID or digest.

    Raises:
        AmbiguousIdError: multiple images match an ID prefix.
        InvalidReferenceError: the text is neither a name nor the ID of a local image.
    """
    found = _by_id(session, text, local=local)
    return found or parse_index_target(session, text, local=local)


def _by_id(session: Session, text: str, *, local: bool) -> IndexTarget | None:
    if not (is_id(text) or (local and "@" in text)):
        return None
    try:
        found = find(session, text)
    except NoSuchImageError:
        return None
    if found.by == "name":
        return None
    record = found.record
    return IndexTarget(record.reference or NAMELESS, local=True, root=record.descriptor.digest)


def create_index(
    session: Session,
    target: IndexTarget,
    sources: Sequence[IndexTarget],
    *,
    annotations: Mapping[str, str],
    observer: Observer = ignore,
) -> Descriptor:
    """Create an index of images, and of the images of indexes; replace one of the same name.

    Args:
        session: the run.
        target: its name and place.
        sources: its images; images that the place does not have are copied there.
        annotations: annotations of the index.
        observer: receives progress events.

    Raises:
        UsageError: there are no images, or two images are for the same platform.
        NotFoundError: a source does not exist.
    """
    place = _place(session, target)
    entries = [e for source in sources for e in _transfer_images(session, source, target, observer)]
    if not entries:
        raise UsageError("an index needs at least one image")
    return _write(place, target, entries, annotations)


def add_to_index(
    session: Session,
    target: IndexTarget,
    sources: Sequence[IndexTarget],
    observer: Observer = ignore,
) -> Descriptor:
    """Add images to an index; an image for the same platform is replaced."""
    place, index = read_index(session, target)
    added = [e for source in sources for e in _transfer_images(session, source, target, observer)]
    taken = {entry.platform for entry in added}
    kept = [e for e in index.manifests if e.platform not in taken or is_attestation(e)]
    return _write(place, target, [*kept, *added], index.annotations)


def remove_from_index(session: Session, target: IndexTarget, chosen: Sequence[str]) -> Descriptor:
    """Remove entries from an index, with their attestations.

    Args:
        session: the run.
        target: the index.
        chosen: platforms or digests.

    Raises:
        PlatformNotFoundError: the index has no such entry.
        UsageError: no entry would remain.
    """
    place, index = read_index(session, target)
    removed = {
        d
        for text in chosen
        for d in find_entries(session, index.manifests, text, local=target.local)
    }
    kept = [
        e for e in index.manifests if e.digest not in removed and not is_attestation_of(e, removed)
    ]
    if not kept:
        raise UsageError(
            f"cannot remove the last image of {target.reference}",
            hint=f"remove its name: ghcrctl rmi {target.reference}" if target.local else None,
        )
    return _write(place, target, kept, index.annotations)


def annotate_index(
    session: Session, target: IndexTarget, chosen: str, change: EntryChange
) -> Descriptor:
    """Set annotations or the platform of an entry, or annotations of the index itself.

    Args:
        session: the run.
        target: the index.
        chosen: a platform or a digest; empty for the index itself.
        change: the change.

    Raises:
        UsageError: a platform is given without an entry.
    """
    if not chosen and change.has_platform:
        raise UsageError("cannot set a platform without an entry: give its platform or digest")
    place, index = read_index(session, target)
    if not chosen:
        annotations = merge_annotations(index.annotations, change.annotations)
        return _write(place, target, list(index.manifests), annotations)
    meant = find_entries(session, index.manifests, chosen, local=target.local)
    entries = [apply_change(e, change) if e.digest in meant else e for e in index.manifests]
    return _write(place, target, entries, index.annotations)


def read_manifest(session: Session, end: IndexTarget) -> Manifest | Index:
    """Return the manifest or index that a name resolves to."""
    place = _source(session, end)
    descriptor = place.resolve(_name(end))
    return parse(read_metadata(place, descriptor), descriptor.media_type)


def image_id_of(session: Session, end: IndexTarget, root: Descriptor) -> Digest | None:
    """Return the ID of an image, which is the digest of its config; ``None`` for an index."""
    parsed = parse(read_metadata(_place(session, end), root), root.media_type)
    return parsed.config.digest if isinstance(parsed, Manifest) and parsed.is_image else None


def read_entries(session: Session, end: IndexTarget) -> list[tuple[Descriptor, Manifest | Index]]:
    """Return the entries of an index with their manifests; for an image, the image itself."""
    parsed = read_manifest(session, end)
    if isinstance(parsed, Manifest):
        return [(parsed.descriptor, parsed)]
    place = _source(session, end)
    return [(e, parse(read_metadata(place, e), e.media_type)) for e in parsed.manifests]


def open_source(
    session: Session, end: IndexTarget, *, is_replaced: bool = False
) -> tuple[SourcePlace, str]:
    """Return the source of an image, and its name there.

    A tag that will be replaced is read from its registry: a mirror may be outdated.
    """
    place = _place(session, end) if is_replaced else _source(session, end)
    return place, _name(end)


def open_sink(session: Session, end: IndexTarget) -> tuple[Place, str]:
    """Return the place to write an image to, and its name there."""
    return _place(session, end), _name(end)


def _source(session: Session, end: IndexTarget) -> SourcePlace:
    return StorePlace(session.store) if end.local else session.source(end.reference)


def _place(session: Session, end: IndexTarget) -> Place:
    return StorePlace(session.store) if end.local else session.repository(end.reference)


def _name(end: IndexTarget) -> str:
    if end.root:
        return str(end.root)
    return str(end.reference) if end.local else end.reference.target


def read_index(session: Session, target: IndexTarget) -> tuple[Place, Index]:
    """Return an index to change, and its place.

    Raises:
        UnsupportedError: the name resolves to a single image.
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


def _transfer_images(
    session: Session, source: IndexTarget, target: IndexTarget, observer: Observer
) -> list[Descriptor]:
    """Transfer a source's images to the place of the index; return its entries."""
    entries = entries_of(session, source)
    for entry in entries:
        transfer_entry(session, entry, source, target, observer)
    return entries


def entries_of(session: Session, source: IndexTarget) -> list[Descriptor]:
    """Return index entries for an image, or for the images of an index."""
    origin = _source(session, source)
    root = origin.resolve(_name(source))
    parsed = parse(read_metadata(origin, root), root.media_type)
    if isinstance(parsed, Manifest):
        return [replace(parsed.descriptor, platform=_platform(origin, parsed))]
    return list(parsed.manifests)


def transfer_entry(
    session: Session,
    entry: Descriptor,
    source: IndexTarget,
    target: IndexTarget,
    observer: Observer,
) -> None:
    """Transfer the image of an entry to the place of the index."""
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


def mount_source(session: Session, source: IndexTarget, target: IndexTarget) -> str | None:
    """Return the repository from which the target's registry can mount the source's blobs."""
    if source.local or target.local:
        return None
    return session.resolver.mount_source(source.reference, target.reference)


def _platform(place: SourcePlace, manifest: Manifest) -> Platform | None:
    if not manifest.is_image:
        return None
    return ImageConfig.parse(read_metadata(place, manifest.config)).platform


def _write(
    place: Place, target: IndexTarget, entries: list[Descriptor], annotations: Mapping[str, str]
) -> Descriptor:
    """Write an index under its name."""
    check_platforms(target.reference, entries)
    memory, root = build_index(entries, annotations)
    place.tag(Content(memory, root), str(target.reference) if target.local else _tag(target))
    return root


def _tag(target: IndexTarget) -> str:
    if not target.reference.tag:
        raise UsageError(f"invalid target `{target.reference}`: expected NAME:TAG")
    return target.reference.tag
