"""Changes of indexes as commands make them: in the local store, or in a list to be pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import NoSuchImageError, RefusedError, UnsupportedError
from ghcrctl.operations.making.indexes import (
    End,
    NewImage,
    add_to_index,
    annotate_index,
    create_index,
    remove_from_index,
)
from ghcrctl.operations.making.manifest_lists import (
    add_to_list,
    annotate_list,
    create_list,
    keep_list,
    kept_list,
    open_list,
    push_list,
    remove_from_list,
)
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.operations.common.index_entries import Change
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.manifest_lists import ManifestList
    from ghcrctl.transfer.events import Observer


def create(  # noqa: PLR0913 all but three by keyword
    session: Session,
    target: End,
    sources: Sequence[End],
    *,
    annotations: Mapping[str, str],
    amend: bool = False,
    replace: bool = False,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Create an index of the local store, or a manifest list.

    Args:
        session: the run.
        target: its name.
        sources: its images.
        annotations: of the index.
        amend: add to what has the name.
        replace: replace what has the name.
        push: publish the list at once; without it, a list is kept until it is pushed.
        observer: watches the transfer.

    Raises:
        RefusedError: the name exists, and neither `amend` nor `replace` is given.
        UsageError: there is nothing to list, or two images are for one platform.
        NotFoundError: a source does not exist.
    """
    if not target.local:
        made = create_list(
            session, target, sources, annotations=annotations, amend=amend, replace_tag=replace
        )
        return _finish(session, target, made, push=push, observer=observer)
    exists = any(r.name == str(target.reference) for r in session.store.records())
    if exists and not (amend or replace):
        raise RefusedError(
            f"cannot create the index {target.reference}: the name exists in the local store",
            hint="--amend adds to it, --replace replaces it",
        )
    if exists and amend:
        return NewImage(target, add_to_index(session, target, sources, observer))
    root = create_index(session, target, sources, annotations=annotations, observer=observer)
    return NewImage(target, root)


def add(
    session: Session,
    target: End,
    sources: Sequence[End],
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Add images; see `add_to_index` and `add_to_list`."""
    if target.local:
        return NewImage(target, add_to_index(session, target, sources, observer))
    made = add_to_list(session, open_list(session, target), sources)
    return _finish(session, target, made, push=push, observer=observer)


def remove(
    session: Session,
    target: End,
    chosen: Sequence[str],
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Remove images; see `remove_from_index` and `remove_from_list`."""
    if target.local:
        return NewImage(target, remove_from_index(session, target, chosen))
    made = remove_from_list(session, open_list(session, target), chosen)
    return _finish(session, target, made, push=push, observer=observer)


def annotate(
    session: Session,
    target: End,
    chosen: str,
    change: Change,
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Set annotations or platforms; see `annotate_index` and `annotate_list`."""
    if target.local:
        return NewImage(target, annotate_index(session, target, chosen, change))
    made = annotate_list(session, open_list(session, target), chosen, change)
    return _finish(session, target, made, push=push, observer=observer)


def publish(
    session: Session,
    target: End,
    *,
    purge: bool = False,
    replace: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Push a manifest list, or an index of the local store, with all that it lists.

    Args:
        session: the run.
        target: its name.
        purge: remove the list, or the local name, afterwards.
        replace: replace the registry's tag whatever it points to.
        observer: watches the transfer.

    Raises:
        NoSuchImageError: there is neither.
        RefusedError: the registry has a tag that the list was not made from, or an index with
            more platforms.
        UnsupportedError: the local store has one image of this name.
    """
    kept = None if target.local else kept_list(session, target)
    if kept:
        return push_list(session, target, kept, purge=purge, replace_tag=replace, observer=observer)
    from ghcrctl.operations.images.remove import remove as remove_name
    from ghcrctl.operations.moving.push import push as push_image

    _require_local_index(session, target)
    pushed = push_image(session, target.reference, observer=observer, force=replace)
    if purge:
        remove_name(session, str(pushed.reference))
    return NewImage(End(pushed.reference), pushed.descriptor)


def _require_local_index(session: Session, target: End) -> None:
    """Check that the local store has an index of a name: an image is pushed by `ghcrctl push`."""
    name = str(target.reference)
    found = [r.descriptor for r in session.store.records() if r.name == name]
    if not found:
        raise NoSuchImageError(
            f"no such manifest list: {name}", hint=f"ghcrctl manifest create {name} IMAGE..."
        )
    if not found[0].is_index:
        raise UnsupportedError(f"{name} is one image, not an index", hint=f"ghcrctl push {name}")


def _finish(
    session: Session, target: End, made: ManifestList, *, push: bool, observer: Observer
) -> NewImage:
    if push:
        return push_list(session, target, made, purge=True, observer=observer)
    return keep_list(session, target, made)
