"""Indexes: make and change them, at a registry or in the local store.

What belongs here: which entries an index has. What does not: moving what they stand for
(``transfer``). An index is never changed in place: a new one takes over its name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import PlatformNotFoundError, UnsupportedError, UsageError
from ghcrctl.oci import media_types
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.platform import Platform
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.transfer.events import Observer

    Place = Repository | StorePlace
    SourcePlace = RepositorySource | StorePlace


@dataclass(frozen=True, slots=True)
class End:
    """An index, or an image, and where it is.

    Args:
        reference: its name.
        local: whether it is in the local store, and not at its registry.
    """

    reference: Reference
    local: bool = False


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


@dataclass(frozen=True, slots=True)
class Change:
    """What is set on an entry of an index, or on the index itself.

    Args:
        annotations: added, or replaced; an empty value takes one away.
        platform: what the entry is for from now on.
        os_version: its ``os.version`` from now on.
    """

    annotations: Mapping[str, str]
    platform: Platform | None = None
    os_version: str | None = None


def end_of(session: Session, text: str, *, local: bool) -> End:
    """Read a name: a local one, or one asked for as local, is in the store."""
    reference = session.parse(text).tagged()
    return End(reference, local or reference.is_local)


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
    place, index = _read(session, target)
    added = [e for source in sources for e in _bring(session, source, target, observer)]
    taken = {entry.platform for entry in added}
    kept = [e for e in index.manifests if e.platform not in taken or _is_helper(e)]
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
    place, index = _read(session, target)
    gone = {entry.digest for text in chosen for entry in _find(index, text)}
    kept = [e for e in index.manifests if e.digest not in gone and not _attests(e, gone)]
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
    if not chosen and (change.platform or change.os_version):
        raise UsageError("say which entry, by its platform or digest")
    place, index = _read(session, target)
    if not chosen:
        annotations = _merged(index.annotations, change.annotations)
        return _write(place, target, list(index.manifests), annotations)
    meant = {entry.digest for entry in _find(index, chosen)}
    entries = [_changed(e, change) if e.digest in meant else e for e in index.manifests]
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
    return str(end.reference) if end.local else end.reference.target


def _read(session: Session, target: End) -> tuple[Place, Index]:
    place = _place(session, target)
    descriptor = place.resolve(_name(target))
    parsed = parse(read_metadata(place, descriptor), descriptor.media_type)
    if not isinstance(parsed, Index):
        raise UnsupportedError(
            f"{target.reference} is one image, not an index",
            hint=f"ghcrctl manifest create {target.reference} {target.reference} IMAGE...",
        )
    return place, parsed


def _bring(session: Session, source: End, target: End, observer: Observer) -> list[Descriptor]:
    """Make a source's images exist where the index is; return its entries."""
    origin, place = _source(session, source), _place(session, target)
    root = origin.resolve(_name(source))
    parsed = parse(read_metadata(origin, root), root.media_type)
    if isinstance(parsed, Manifest):
        entries = [replace(parsed.descriptor, platform=_platform(origin, parsed))]
    else:
        entries = list(parsed.manifests)
    mounted = mount_source(session, source, target)
    for entry in entries:
        plan = make_plan(origin, place, entry, skip_foreign=True, jobs=session.jobs)
        known: dict[Digest, tuple[str, ...]] = {}
        if mounted:
            known = {step.descriptor.digest: (mounted,) for step in plan.steps}
        with session.workers() as workers:
            execute(plan, TransferOptions(workers, session.retry, known), observer)
    return entries


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
    """Write an index under its name, of docker's kind where all of its images are."""
    listed = [entry.platform for entry in entries if not _is_helper(entry)]
    twice = {str(p) for p in listed if p is not None and listed.count(p) > 1}
    if twice:
        raise UsageError(f"two images are for {' and '.join(sorted(twice))}")
    docker = not annotations and all(e.media_type == media_types.DOCKER_MANIFEST for e in entries)
    kind = media_types.DOCKER_LIST if docker else media_types.OCI_INDEX
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "manifests": [entry.to_json() for entry in entries],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    made = MemoryPlace("made here")
    root = made.add(json.dumps(document, indent=3).encode(), kind)
    place.tag(Content(made, root), str(target.reference) if target.local else _tag(target))
    return root


def _tag(target: End) -> str:
    if not target.reference.tag:
        raise UsageError(f"{target.reference} names no tag that the index could have")
    return target.reference.tag


def _find(index: Index, text: str) -> list[Descriptor]:
    """Return the entries that a platform or a digest means."""
    if ":" in text:
        digest = Digest.parse(text)
        found = [entry for entry in index.manifests if entry.digest == digest]
    else:
        wanted = Platform.parse(text)
        found = [e for e in index.manifests if e.platform and wanted.means(e.platform)]
    if not found:
        offered = ", ".join(dict.fromkeys(map(str, index.platforms)))
        raise PlatformNotFoundError(f"the index has no entry `{text}`", hint=f"it has: {offered}")
    return found


_KIND, _ATTESTED = "vnd.docker.reference.type", "vnd.docker.reference.digest"


def _is_helper(entry: Descriptor) -> bool:
    return _KIND in entry.annotations or bool(entry.platform and entry.platform.is_unknown)


def _attests(entry: Descriptor, gone: Iterable[Digest]) -> bool:
    return entry.annotations.get(_ATTESTED) in {str(digest) for digest in gone}


def _changed(entry: Descriptor, change: Change) -> Descriptor:
    platform = change.platform or entry.platform
    if platform and change.os_version is not None:
        platform = replace(platform, os_version=change.os_version)
    return replace(
        entry, annotations=_merged(entry.annotations, change.annotations), platform=platform
    )


def _merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in {**old, **new}.items() if value}
