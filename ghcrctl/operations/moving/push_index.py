"""Push a manifest list, or an index in the local store, with everything it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import NoSuchImageError, UnsupportedError
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.making.indexes import IndexTarget, NewImage
from ghcrctl.operations.making.manifest_lists import push_list, read_local_list
from ghcrctl.operations.moving.push import push
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer


def push_index(
    session: Session,
    target: IndexTarget,
    *,
    purge: bool = False,
    replace: bool = False,
    observer: Observer = ignore,
) -> NewImage:
    """Push a manifest list, or an index in the local store, with everything it lists.

    Args:
        session: the run.
        target: its name.
        purge: remove the list, or the local name, afterwards.
        replace: replace the registry's tag, no matter what it points to.
        observer: receives progress events.

    Raises:
        NoSuchImageError: neither a list nor an image has this name.
        RefusedError: the registry's tag points to an image that the list was not created from, or
            to an index with more platforms.
        UnsupportedError: the local image of this name is not an index.
    """
    kept = None if target.local else read_local_list(session, target)
    if kept:
        return push_list(session, target, kept, purge=purge, replace_tag=replace, observer=observer)
    _require_local_index(session, target)
    pushed = push(session, target.reference, observer=observer, force=replace)
    if purge:
        remove(session, str(pushed.reference))
    return NewImage(IndexTarget(pushed.reference), pushed.descriptor)


def _require_local_index(session: Session, target: IndexTarget) -> None:
    """Check that a local name is an index; other images are pushed by `ghcrctl push`."""
    name = str(target.reference)
    found = [r.descriptor for r in session.store.records() if r.name == name]
    if not found:
        raise NoSuchImageError(
            f"no such manifest list: {name}", hint=f"ghcrctl manifest create {name} IMAGE..."
        )
    if not found[0].is_index:
        raise UnsupportedError(f"{name} is an image, not an index", hint=f"ghcrctl push {name}")
