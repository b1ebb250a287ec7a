"""Lock pull: bring exactly what a lock file pins, under the names that it has there.

What belongs here: which platform of a pin is meant, and whether it is here already. What does not:
pulling (``pull``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.oci.platform import best_match
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.lock import not_offered
from ghcrctl.operations.moving.pull import PullResult, pull
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.locks.lock_file import Pin
    from ghcrctl.store.records import Record
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


def pull_pin(
    session: Session,
    pin: Pin,
    *,
    select: Selection | None = None,
    observer: Observer = ignore,
    workers: Workers | None = None,
) -> PullResult:
    """Bring what a pin stands for; where it is here, whole, nobody is asked.

    Args:
        session: the run.
        pin: it.
        select: which of its platforms; this machine's by default.
        observer: watches.
        workers: who moves content, where several images are pulled at once.

    Raises:
        NotFoundError: the registry does not have it any more.
        PlatformNotFoundError: the pin is not for the wanted platform.
    """
    wanted = _selection(session, pin, select or Selection())
    return _here(session, pin, wanted) or pull(
        session,
        pin.reference,
        select=wanted,
        observer=observer,
        workers=workers,
        called=pin.name,
    )


def _selection(session: Session, pin: Pin, select: Selection) -> Selection:
    """Choose among the platforms of a pin, and not among all that the image has."""
    if select.platforms:
        for platform in select.platforms:
            _find(pin, platform)
        return select
    if not pin.platforms or (select.everything and not pin.only):
        return Selection(everything=True)
    if select.everything:
        return Selection(tuple(one.platform for one in pin.platforms))
    if pin.only:
        _find(pin, session.settings.preferred_platform)
    return select


def _find(pin: Pin, platform: Platform) -> Digest:
    position = best_match(platform, (one.platform for one in pin.platforms))
    if position is None:
        raise not_offered(f"{pin.name} is not pinned for {platform.with_features}", pin.platforms)
    return pin.platforms[position].digest


def _root(session: Session, pin: Pin, select: Selection) -> Digest | None:
    """Return what the store has after a pull, where that can be told without asking anybody."""
    if select.everything:
        return pin.digest
    if len(select.platforms) > 1:
        return None
    platform = select.platforms[0] if select.platforms else session.settings.preferred_platform
    position = best_match(platform, (one.platform for one in pin.platforms))
    return None if position is None else pin.platforms[position].digest


def _here(session: Session, pin: Pin, select: Selection) -> PullResult | None:
    """Return the result where the store has the image, complete, under any name."""
    found = _stored(session, pin, _root(session, pin, select))
    if found is None:
        return None
    is_named = found.name == str(pin.name)
    if not is_named:
        session.store.put(replace(found, name=str(pin.name), origin=pin.digest))
    return PullResult(
        reference=pin.name,
        digest=pin.digest,
        descriptor=found.descriptor,
        updated=not is_named,
        kind=found.facts.kind,
        skipped=(),
        moved=0,
    )


def _stored(session: Session, pin: Pin, root: Digest | None) -> Record | None:
    """Find a complete image that is certainly what is pinned, first under the pinned name.

    That is the pinned digest itself, as `load` stores it, or an image that a pull took from the
    pinned digest. The digests of platforms in the lock file prove nothing, since the file can be
    edited.
    """
    place = StorePlace(session.store)
    records = sorted(session.store.records(), key=lambda record: record.name != str(pin.name))
    for record in records:
        digest = record.descriptor.digest
        is_pinned = digest == pin.digest or (digest == root and record.origin == pin.digest)
        if is_pinned and place.exists(record.descriptor):
            return record
    return None
