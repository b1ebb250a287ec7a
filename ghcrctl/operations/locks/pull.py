"""Pull exactly the images that a lock file pins, under their names in the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.oci.platform import best_match
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.locks.lock import platform_error
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
    """Pull a pinned image; if the store has all of it, do nothing and use no network.

    Args:
        session: the run.
        pin: the pin.
        select: the platforms to pull; this machine's by default.
        observer: receives progress events.
        workers: the worker threads, if multiple images are pulled in parallel.

    Raises:
        NotFoundError: the registry no longer has the image.
        PlatformNotFoundError: a selected platform is not pinned.
    """
    wanted = _selection(session, pin, select or Selection())
    return _find_complete(session, pin, wanted) or pull(
        session,
        pin.reference,
        select=wanted,
        observer=observer,
        workers=workers,
        called=pin.name,
    )


def _selection(session: Session, pin: Pin, select: Selection) -> Selection:
    """Choose among the pinned platforms, which may be fewer than the image has."""
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
        raise platform_error(
            f"{pin.name} is not pinned for {platform.with_features}", pin.platforms
        )
    return pin.platforms[position].digest


def _root(session: Session, pin: Pin, select: Selection) -> Digest | None:
    """Return the digest that a pull would store, if it is known without network access."""
    if select.everything:
        return pin.digest
    if len(select.platforms) > 1:
        return None
    platform = select.platforms[0] if select.platforms else session.settings.preferred_platform
    position = best_match(platform, (one.platform for one in pin.platforms))
    return None if position is None else pin.platforms[position].digest


def _find_complete(session: Session, pin: Pin, select: Selection) -> PullResult | None:
    """Return the result if the store has the complete image under any name."""
    found = _find_record(session, pin, _root(session, pin, select))
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


def _find_record(session: Session, pin: Pin, root: Digest | None) -> Record | None:
    """Find a complete local image that is provably the pinned one, first under the pinned name.

    It is either the pinned digest itself, as `load` stores it, or an image that was pulled from it.
    The digests of platforms in the lock file are not proof, since the file can be edited.
    """
    place = StorePlace(session.store)
    records = sorted(session.store.records(), key=lambda record: record.name != str(pin.name))
    for record in records:
        digest = record.descriptor.digest
        is_pinned = digest == pin.digest or (digest == root and record.origin == pin.digest)
        if is_pinned and place.exists(record.descriptor):
            return record
    return None
