"""Manifest lists, which are created and changed locally and published by a push.

As in docker, nothing is published and no image is copied before the push.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import AuthError, NoSuchImageError, NotFoundError, RefusedError, UsageError
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.operations.common.index_entries import (
    apply_change,
    build_index,
    check_platforms,
    find_entries,
    is_attestation,
    is_attestation_of,
    merge_annotations,
)
from ghcrctl.operations.making.indexes import (
    IndexTarget,
    NewImage,
    entries_of,
    open_sink,
    open_source,
    read_index,
    transfer_entry,
)
from ghcrctl.store.manifest_lists import ListedImage, ManifestList
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.index_entries import EntryChange
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer


def create_list(
    session: Session,
    target: IndexTarget,
    sources: Sequence[IndexTarget],
    *,
    annotations: Mapping[str, str],
    amend: bool = False,
    replace_tag: bool = False,
) -> ManifestList:
    """Return a new or amended manifest list, without writing it.

    Args:
        session: the run.
        target: the name to push to.
        sources: its images, or indexes with its images.
        annotations: annotations of the list.
        amend: add to the list of this name, which is local or at the registry.
        replace_tag: start over, and replace the registry's tag on push.

    Raises:
        RefusedError: a list or tag of this name exists, and neither option is given.
        UsageError: the name has no tag, or there are no images.
        NotFoundError: a source does not exist.
    """
    _require_tag(target)
    base = _initial_list(session, target, amend=amend, replace_tag=replace_tag)
    added = [image for source in sources for image in _listed_images(session, source)]
    if not base.images and not added:
        raise UsageError("an index needs at least one image")
    merged = merge_annotations(base.annotations, annotations)
    return replace(base, images=_merge_images(base, added), annotations=merged)


def open_list(session: Session, target: IndexTarget) -> ManifestList:
    """Return the local manifest list of a name, or the index at the registry.

    Raises:
        NotFoundError: neither exists.
        UnsupportedError: the name resolves to a single image at the registry.
    """
    _require_tag(target)
    return read_local_list(session, target) or _list_from_index(
        target, read_index(session, target)[1]
    )


def add_to_list(
    session: Session, manifest_list: ManifestList, sources: Sequence[IndexTarget]
) -> ManifestList:
    """Return a list with more images; an image for the same platform is replaced."""
    added = [image for source in sources for image in _listed_images(session, source)]
    taken = {image.descriptor.platform for image in added}
    kept = [
        image
        for image in manifest_list.images
        if image.descriptor.platform not in taken or is_attestation(image.descriptor)
    ]
    return replace(manifest_list, images=(*kept, *added))


def remove_from_list(
    session: Session, manifest_list: ManifestList, chosen: Sequence[str]
) -> ManifestList:
    """Return a list without some images and their attestations.

    Raises:
        PlatformNotFoundError: the list has no such image.
        UsageError: no image would remain.
    """
    removed = {digest for text in chosen for digest in _find(session, manifest_list, text)}
    kept = tuple(
        image
        for image in manifest_list.images
        if image.descriptor.digest not in removed
        and not is_attestation_of(image.descriptor, removed)
    )
    if not kept:
        hint = (
            f"ghcrctl manifest rm {manifest_list.name}"
            if session.store.manifest_lists.read(manifest_list.name)
            else None
        )
        raise UsageError(f"cannot remove the last image of {manifest_list.name}", hint=hint)
    return replace(manifest_list, images=kept)


def annotate_list(
    session: Session, manifest_list: ManifestList, chosen: str, change: EntryChange
) -> ManifestList:
    """Return a list with changed annotations, or with a changed entry.

    Raises:
        UsageError: a platform is given without an entry.
        PlatformNotFoundError: the list has no such entry.
    """
    if not chosen:
        if change.has_platform:
            raise UsageError("cannot set a platform without an entry: give its platform or digest")
        merged = merge_annotations(manifest_list.annotations, change.annotations)
        return replace(manifest_list, annotations=merged)
    meant = _find(session, manifest_list, chosen)
    images = tuple(
        replace(image, descriptor=apply_change(image.descriptor, change))
        if image.descriptor.digest in meant
        else image
        for image in manifest_list.images
    )
    return replace(manifest_list, images=images)


def read_local_list(session: Session, target: IndexTarget) -> ManifestList | None:
    """Return the local list of a name; ``None`` if it does not exist."""
    return session.store.manifest_lists.read(str(target.reference))


def save_list(session: Session, target: IndexTarget, manifest_list: ManifestList) -> NewImage:
    """Save a list locally until it is pushed."""
    session.store.manifest_lists.write(manifest_list)
    return NewImage(target, _index(manifest_list).descriptor)


def push_list(
    session: Session,
    target: IndexTarget,
    manifest_list: ManifestList,
    *,
    purge: bool = False,
    replace_tag: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Publish a list: its images first, then the list under its tag.

    Args:
        session: the run.
        target: its name.
        manifest_list: the list.
        purge: delete the local list afterwards.
        replace_tag: replace the registry's tag, no matter what it points to.
        observer: receives progress events.

    Raises:
        RefusedError: the registry's tag points to an image that the list was not created from.
        UsageError: two images are for the same platform.
    """
    entries = [image.descriptor for image in manifest_list.images]
    check_platforms(target.reference, entries)
    current = _current_root(session, target)
    before = str(current.digest) if current else ""
    if before and before != manifest_list.previous and not (manifest_list.replaces or replace_tag):
        raise RefusedError(
            f"cannot push {manifest_list.name}: the tag exists, and points to {before}",
            hint=f"ghcrctl manifest push --replace {manifest_list.name}",
        )
    for image in manifest_list.images:
        transfer_entry(session, image.descriptor, _image_target(session, image), target, observer)
    place, tag = open_sink(session, target)
    content, root = build_index(entries, manifest_list.annotations)
    place.tag(Content(content, root), tag)
    lists = session.store.manifest_lists
    if purge:
        lists.remove(manifest_list.name)
    elif lists.read(manifest_list.name):
        lists.write(replace(manifest_list, previous=str(root.digest), replaces=False))
    moved = current.digest if current and current.digest != root.digest else None
    return NewImage(target, root, moved)


def remove_list(session: Session, target: IndexTarget) -> None:
    """Remove a local manifest list.

    Raises:
        NoSuchImageError: the list does not exist.
    """
    if not session.store.manifest_lists.remove(str(target.reference)):
        raise NoSuchImageError(
            f"no such manifest list: {target.reference}",
            hint="to remove images from an index, use: ghcrctl manifest remove",
        )


def read_local_index(session: Session, target: IndexTarget) -> Index | None:
    """Return the index that pushing a local list would create; ``None`` without a list."""
    if target.local:
        return None
    kept = read_local_list(session, target)
    return _index(kept) if kept else None


def read_local_entries(
    session: Session, target: IndexTarget
) -> list[tuple[Descriptor, Manifest | Index]] | None:
    """Return the entries of a local list with their manifests; ``None`` without a list."""
    kept = None if target.local else read_local_list(session, target)
    if kept is None:
        return None
    found = []
    for image in kept.images:
        place, _ = open_source(session, _image_target(session, image))
        entry = image.descriptor
        found.append((entry, parse(read_metadata(place, entry), entry.media_type)))
    return found


def read_list_entry(session: Session, target: IndexTarget, text: str) -> Manifest | Index:
    """Return the manifest of one entry of a manifest list or index.

    Raises:
        PlatformNotFoundError: it has no such entry.
    """
    manifest_list = (
        _list_from_index(target, read_index(session, target)[1], local=True)
        if target.local
        else None
    )
    manifest_list = manifest_list or open_list(session, target)
    meant = _find(session, manifest_list, text)
    [image, *_] = [image for image in manifest_list.images if image.descriptor.digest in meant]
    place, _ = open_source(session, _image_target(session, image))
    entry = image.descriptor
    return parse(read_metadata(place, entry), entry.media_type)


def _initial_list(
    session: Session, target: IndexTarget, *, amend: bool, replace_tag: bool
) -> ManifestList:
    """Return the list that a new list starts from."""
    name = str(target.reference)
    kept = read_local_list(session, target)
    if kept and not (amend or replace_tag):
        raise RefusedError(
            f"cannot create the manifest list {name}: it already exists",
            hint="--amend adds to it, --replace starts over",
        )
    if kept and amend:
        return kept
    current = _current_root(session, target)
    if current is None or replace_tag:
        return ManifestList(name, replaces=replace_tag)
    if not amend:
        raise RefusedError(
            f"cannot create the manifest list {name}: the registry has a tag of this name",
            hint="--amend adds to it, --replace replaces it",
        )
    if current.is_index:
        return _list_from_index(target, read_index(session, target)[1])
    return ManifestList(name, tuple(_listed_images(session, target)), previous=str(current.digest))


def _list_from_index(target: IndexTarget, index: Index, *, local: bool = False) -> ManifestList:
    images = tuple(
        ListedImage(entry, f"{target.reference.name}@{entry.digest}", local)
        for entry in index.manifests
    )
    digest = str(index.descriptor.digest)
    return ManifestList(str(target.reference), images, index.annotations, previous=digest)


def _merge_images(base: ManifestList, added: Sequence[ListedImage]) -> tuple[ListedImage, ...]:
    """Add images; each replaces the image with the same source or published platform."""
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
            and not is_attestation(image.descriptor)
        )
    ]
    merged: list[ListedImage] = []
    for image in (*kept, *added):
        # The same image may be added by its name and as a part of an index.
        if image.descriptor not in [other.descriptor for other in merged]:
            merged.append(image)
    return tuple(merged)


def _listed_images(session: Session, source: IndexTarget) -> list[ListedImage]:
    entries = entries_of(session, source)
    name = str(source.reference)
    if len(entries) == 1:
        return [ListedImage(entries[0], name, source.local)]
    return [
        ListedImage(entry, f"{source.reference.name}@{entry.digest}", source.local)
        for entry in entries
    ]


def _find(session: Session, manifest_list: ManifestList, text: str) -> set[Digest]:
    sources: dict[str, list[Digest]] = {}
    for image in manifest_list.images:
        sources.setdefault(image.source, []).append(image.descriptor.digest)
    return find_entries(
        session, [image.descriptor for image in manifest_list.images], text, sources=sources
    )


def _image_target(session: Session, image: ListedImage) -> IndexTarget:
    reference = session.parse(image.source)
    return IndexTarget(reference.with_digest(image.descriptor.digest), image.local)


def _index(manifest_list: ManifestList) -> Index:
    content, root = build_index(
        [image.descriptor for image in manifest_list.images], manifest_list.annotations
    )
    parsed = parse(read_metadata(content, root), root.media_type)
    if not isinstance(parsed, Index):
        raise TypeError("the content is not an index")
    return parsed


def _current_root(session: Session, target: IndexTarget) -> Descriptor | None:
    """Return the root of the registry's tag; ``None`` if it is missing or not readable."""
    place, name = open_sink(session, target)
    try:
        return place.resolve(name)
    except (NotFoundError, AuthError):
        # Many registries do not distinguish missing from unreadable repositories.
        return None


def _require_tag(target: IndexTarget) -> None:
    if target.reference.digest or not target.reference.tag:
        raise UsageError(f"invalid target `{target.reference}`: expected NAME:TAG")
