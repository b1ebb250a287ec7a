"""Create and change indexes in the local store, and manifest lists to be pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import RefusedError
from ghcrctl.operations.making.indexes import (
    IndexTarget,
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
    open_list,
    push_list,
    remove_from_list,
    save_list,
)
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ghcrctl.operations.common.index_entries import EntryChange
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.manifest_lists import ManifestList
    from ghcrctl.transfer.events import Observer


def create(  # noqa: PLR0913 all but three by keyword
    session: Session,
    target: IndexTarget,
    sources: Sequence[IndexTarget],
    *,
    annotations: Mapping[str, str],
    amend: bool = False,
    replace: bool = False,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Create an index in the local store, or a manifest list.

    Args:
        session: the run.
        target: its name.
        sources: its images.
        annotations: annotations of the index.
        amend: add to the index or list of this name.
        replace: replace the index or list of this name.
        push: push the list immediately; otherwise it is kept until it is pushed.
        observer: receives progress events.

    Raises:
        RefusedError: the name exists, and neither `amend` nor `replace` is given.
        UsageError: there are no images, or two images are for the same platform.
        NotFoundError: a source does not exist.
    """
    if not target.local:
        manifest_list = create_list(
            session, target, sources, annotations=annotations, amend=amend, replace_tag=replace
        )
        return _finish(session, target, manifest_list, push=push, observer=observer)
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
    target: IndexTarget,
    sources: Sequence[IndexTarget],
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Add images; see `add_to_index` and `add_to_list`."""
    if target.local:
        return NewImage(target, add_to_index(session, target, sources, observer))
    manifest_list = add_to_list(session, open_list(session, target), sources)
    return _finish(session, target, manifest_list, push=push, observer=observer)


def remove(
    session: Session,
    target: IndexTarget,
    chosen: Sequence[str],
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Remove images; see `remove_from_index` and `remove_from_list`."""
    if target.local:
        return NewImage(target, remove_from_index(session, target, chosen))
    manifest_list = remove_from_list(session, open_list(session, target), chosen)
    return _finish(session, target, manifest_list, push=push, observer=observer)


def annotate(
    session: Session,
    target: IndexTarget,
    chosen: str,
    change: EntryChange,
    *,
    push: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Set annotations or platforms; see `annotate_index` and `annotate_list`."""
    if target.local:
        return NewImage(target, annotate_index(session, target, chosen, change))
    manifest_list = annotate_list(session, open_list(session, target), chosen, change)
    return _finish(session, target, manifest_list, push=push, observer=observer)


def _finish(
    session: Session,
    target: IndexTarget,
    manifest_list: ManifestList,
    *,
    push: bool,
    observer: Observer,
) -> NewImage:
    if push:
        return push_list(session, target, manifest_list, purge=True, observer=observer)
    return save_list(session, target, manifest_list)
