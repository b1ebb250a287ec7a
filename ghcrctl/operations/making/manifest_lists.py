"""Manifest lists that are created and changed locally and published by a push.

As in docker, nothing is published before. The images of a list stay where they are until then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import AuthError, NoSuchImageError, NotFoundError, RefusedError, UsageError
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.operations.common.index_entries import (
    attests,
    changed_entry,
    check_platforms,
    find_entries,
    is_helper_entry,
    make_index,
    merged_annotations,
)
from ghcrctl.operations.making.indexes import (
    End,
    NewImage,
    entries_of,
    read_index,
    sink_of,
    source_of,
    transfer_entry,
)
from ghcrctl.store.manifest_lists import ListedImage, ManifestList
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.index_entries import Change
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer


def create_list(
    session: Session,
    target: End,
    sources: Sequence[End],
    *,
    annotations: Mapping[str, str],
    amend: bool = False,
    replace_tag: bool = False,
) -> ManifestList:
    """Return a new manifest list, or one that is amended. Nothing is written.

    Args:
        session: the run.
        target: the name that it is pushed to.
        sources: its images, or indexes whose images it lists.
        annotations: of the list.
        amend: add to the list of this name, which is here or at the registry.
        replace_tag: start again, and replace the registry's tag when it is pushed.

    Raises:
        RefusedError: there is a list, or a tag, of this name, and neither option is given.
        UsageError: the name has no tag, or there is nothing to list.
        NotFoundError: a source does not exist.
    """
    _require_tag(target)
    base = _base(session, target, amend=amend, replace_tag=replace_tag)
    added = [image for source in sources for image in _listed(session, source)]
    if not base.images and not added:
        raise UsageError("an index needs at least one image")
    merged = merged_annotations(base.annotations, annotations)
    return replace(base, images=_merged(base, added), annotations=merged)


def open_list(session: Session, target: End) -> ManifestList:
    """Return the manifest list of a name that is here, or the index that the registry has.

    Raises:
        NotFoundError: there is neither.
        UnsupportedError: the registry has one image of this name.
    """
    _require_tag(target)
    return kept_list(session, target) or _published(target, read_index(session, target)[1])


def add_to_list(session: Session, made: ManifestList, sources: Sequence[End]) -> ManifestList:
    """Return a list with more images; an image for the same platform is replaced."""
    added = [image for source in sources for image in _listed(session, source)]
    taken = {image.descriptor.platform for image in added}
    kept = [
        image
        for image in made.images
        if image.descriptor.platform not in taken or is_helper_entry(image.descriptor)
    ]
    return replace(made, images=(*kept, *added))


def remove_from_list(session: Session, made: ManifestList, chosen: Sequence[str]) -> ManifestList:
    """Return a list without some images and their attestations.

    Raises:
        PlatformNotFoundError: it has no such image.
        UsageError: no image would be left.
    """
    gone = {digest for text in chosen for digest in _find(session, made, text)}
    kept = tuple(
        image
        for image in made.images
        if image.descriptor.digest not in gone and not attests(image.descriptor, gone)
    )
    if not kept:
        hint = (
            f"ghcrctl manifest rm {made.name}"
            if session.store.manifest_lists.read(made.name)
            else None
        )
        raise UsageError(f"nothing would be left of {made.name}", hint=hint)
    return replace(made, images=kept)


def annotate_list(
    session: Session, made: ManifestList, chosen: str, change: Change
) -> ManifestList:
    """Return a list with changed annotations, or with a changed entry.

    Raises:
        UsageError: a platform is to be set, and no entry is named.
        PlatformNotFoundError: it has no such entry.
    """
    if not chosen:
        if change.has_platform:
            raise UsageError("name the entry: an image, a platform or a digest")
        merged = merged_annotations(made.annotations, change.annotations)
        return replace(made, annotations=merged)
    meant = _find(session, made, chosen)
    images = tuple(
        replace(image, descriptor=changed_entry(image.descriptor, change))
        if image.descriptor.digest in meant
        else image
        for image in made.images
    )
    return replace(made, images=images)


def kept_list(session: Session, target: End) -> ManifestList | None:
    """Return the local list of a name; ``None`` if there is none."""
    return session.store.manifest_lists.read(str(target.reference))


def keep_list(session: Session, target: End, made: ManifestList) -> NewImage:
    """Keep a list until it is pushed."""
    session.store.manifest_lists.write(made)
    return NewImage(target, _index(made).descriptor)


def push_list(
    session: Session,
    target: End,
    made: ManifestList,
    *,
    purge: bool = False,
    replace_tag: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Publish a list: its images first, then the list under its tag.

    Args:
        session: the run.
        target: its name.
        made: the list.
        purge: delete the local list afterwards.
        replace_tag: replace the registry's tag whatever it points to.
        observer: watches the transfer.

    Raises:
        RefusedError: the registry has a tag of this name that the list was not made from.
        UsageError: two images are for the same platform.
    """
    entries = [image.descriptor for image in made.images]
    check_platforms(target.reference, entries)
    current = _current(session, target)
    before = str(current.digest) if current else ""
    if before and before != made.previous and not (made.replaces or replace_tag):
        raise RefusedError(
            f"cannot push {made.name}: the tag exists, and points to {before}",
            hint=f"ghcrctl manifest push --replace {made.name}",
        )
    for image in made.images:
        transfer_entry(session, image.descriptor, _end(session, image), target, observer)
    place, tag = sink_of(session, target)
    content, root = make_index(entries, made.annotations)
    place.tag(Content(content, root), tag)
    lists = session.store.manifest_lists
    if purge:
        lists.remove(made.name)
    elif lists.read(made.name):
        lists.write(replace(made, previous=str(root.digest), replaces=False))
    moved = current.digest if current and current.digest != root.digest else None
    return NewImage(target, root, moved)


def remove_list(session: Session, target: End) -> None:
    """Remove a manifest list that is here.

    Raises:
        NoSuchImageError: the list does not exist.
    """
    if not session.store.manifest_lists.remove(str(target.reference)):
        raise NoSuchImageError(
            f"no such manifest list: {target.reference}",
            hint="`ghcrctl manifest remove` takes images out of an index",
        )


def kept_index(session: Session, target: End) -> Index | None:
    """Return the index that a list here would be pushed as; ``None`` without a list."""
    if target.local:
        return None
    kept = kept_list(session, target)
    return _index(kept) if kept else None


def kept_entries(session: Session, target: End) -> list[tuple[Descriptor, Manifest | Index]] | None:
    """Return the entries of a list of this name with what they point to."""
    kept = None if target.local else kept_list(session, target)
    if kept is None:
        return None
    found = []
    for image in kept.images:
        place, _ = source_of(session, _end(session, image))
        entry = image.descriptor
        found.append((entry, parse(read_metadata(place, entry), entry.media_type)))
    return found


def read_listed(session: Session, target: End, text: str) -> Manifest | Index:
    """Return what one entry of a manifest list, or of an index, points to.

    Raises:
        PlatformNotFoundError: it has no such entry.
    """
    made = _published(target, read_index(session, target)[1], local=True) if target.local else None
    made = made or open_list(session, target)
    meant = _find(session, made, text)
    [image, *_] = [image for image in made.images if image.descriptor.digest in meant]
    place, _ = source_of(session, _end(session, image))
    entry = image.descriptor
    return parse(read_metadata(place, entry), entry.media_type)


def _base(session: Session, target: End, *, amend: bool, replace_tag: bool) -> ManifestList:
    """Return what a new list starts from."""
    name = str(target.reference)
    kept = kept_list(session, target)
    if kept and not (amend or replace_tag):
        raise RefusedError(
            f"cannot create the manifest list {name}: it already exists",
            hint="--amend adds to it, --replace starts over",
        )
    if kept and amend:
        return kept
    current = _current(session, target)
    if current is None or replace_tag:
        return ManifestList(name, replaces=replace_tag)
    if not amend:
        raise RefusedError(
            f"cannot create the manifest list {name}: the registry has a tag of this name",
            hint="--amend adds to it, --replace replaces it",
        )
    if current.is_index:
        return _published(target, read_index(session, target)[1])
    return ManifestList(name, tuple(_listed(session, target)), previous=str(current.digest))


def _published(target: End, index: Index, *, local: bool = False) -> ManifestList:
    images = tuple(
        ListedImage(entry, f"{target.reference.name}@{entry.digest}", local)
        for entry in index.manifests
    )
    digest = str(index.descriptor.digest)
    return ManifestList(str(target.reference), images, index.annotations, previous=digest)


def _merged(base: ManifestList, added: Sequence[ListedImage]) -> tuple[ListedImage, ...]:
    """Add images: each replaces what was added by its name, or published for its platform."""
    names = {image.source for image in added}
    taken = {image.descriptor.platform for image in added}
    published = base.name.rpartition(":")[0] + "@"
    kept = [
        image
        for image in base.images
        if image.source not in names
        and not (
            image.source.startswith(published)
            and image.descriptor.platform in taken
            and not is_helper_entry(image.descriptor)
        )
    ]
    merged: list[ListedImage] = []
    for image in (*kept, *added):
        # An image may come by its name and in an index: one entry is enough.
        if image.descriptor not in [other.descriptor for other in merged]:
            merged.append(image)
    return tuple(merged)


def _listed(session: Session, source: End) -> list[ListedImage]:
    entries = entries_of(session, source)
    name = str(source.reference)
    if len(entries) == 1:
        return [ListedImage(entries[0], name, source.local)]
    return [
        ListedImage(entry, f"{source.reference.name}@{entry.digest}", source.local)
        for entry in entries
    ]


def _find(session: Session, made: ManifestList, text: str) -> set[Digest]:
    sources: dict[str, list[Digest]] = {}
    for image in made.images:
        sources.setdefault(image.source, []).append(image.descriptor.digest)
    return find_entries(session, [image.descriptor for image in made.images], text, sources=sources)


def _end(session: Session, image: ListedImage) -> End:
    reference = session.parse(image.source)
    return End(reference.with_digest(image.descriptor.digest), image.local)


def _index(made: ManifestList) -> Index:
    content, root = make_index([image.descriptor for image in made.images], made.annotations)
    parsed = parse(read_metadata(content, root), root.media_type)
    if not isinstance(parsed, Index):
        raise TypeError("an index is parsed as one")
    return parsed


def _current(session: Session, target: End) -> Descriptor | None:
    """Return what the registry's tag points to; ``None`` if it is missing or not readable."""
    place, name = sink_of(session, target)
    try:
        return place.resolve(name)
    except (NotFoundError, AuthError):
        # Many registries answer alike for what does not exist and for what may not be read.
        return None


def _require_tag(target: End) -> None:
    if target.reference.digest or not target.reference.tag:
        raise UsageError(f"invalid target `{target.reference}`: expected NAME:TAG")
