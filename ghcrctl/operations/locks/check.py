"""Check whether pinned images are unchanged at registries and in the local store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import (
    ExitStatus,
    GhcrctlError,
    ManifestUnknownError,
    NoSuchImageError,
    NotFoundError,
    TagMovedError,
)
from ghcrctl.store.place import StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.locks.lock_file import Pin
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.store.records import Record


class RegistryState(Enum):
    """The state of a pin at its registry."""

    CURRENT = "current"
    MOVED = "moved"
    UNTAGGED = "untagged"
    GONE = "gone"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


class LocalState(Enum):
    """The state of a pin in the local store."""

    PRESENT = "present"
    MISSING = "missing"
    DIFFERENT = "different"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class CheckedPin:
    """A pin and its state at the registry and in the local store.

    Args:
        pin: the pin.
        there: its state at the registry.
        here: its state in the local store.
        now: the digest that the tag points to now, if known.
        failures: why the pin is not valid, or why that is unknown.
    """

    pin: Pin
    there: RegistryState
    here: LocalState
    now: Digest | None
    failures: tuple[GhcrctlError, ...]


def worst_status(checked: Iterable[CheckedPin]) -> ExitStatus:
    """Return the exit status for multiple pins.

    Unknown states come first, since more may be wrong; then missing images, which cannot be pulled
    again; then moved tags.
    """
    order = (ExitStatus.DIFFERENT, ExitStatus.NOT_FOUND)
    found = [failure.exit_status for one in checked for failure in one.failures]
    # If multiple failures have the same rank, the first one counts.
    weigh = {status: weight for weight, status in enumerate(order)}
    return max(found, key=lambda s: weigh.get(s, len(order)), default=ExitStatus.SUCCESS)


def check_pins(
    session: Session, path: Path, pins: Sequence[Pin], *, ask: bool = True, local: bool = False
) -> list[CheckedPin]:
    """Compare pins with their registries; each pin takes one request, or two if its tag has moved.

    Args:
        session: the run.
        path: the lock file, for errors.
        pins: the pins to check.
        ask: whether to check at registries.
        local: whether to check in the local store.

    Raises:
        StoreDamagedError: the store's list of images is damaged.
    """
    records = {record.name: record for record in session.store.records()} if local else {}

    def one(pin: Pin) -> CheckedPin:
        there, now, failure = (
            _check_registry(session, path, pin) if ask else (RegistryState.NOT_ASKED, None, None)
        )
        here = _check_store(session, pin, records) if local else LocalState.NOT_ASKED
        failures = (failure, _store_error(path, pin, here))
        return CheckedPin(pin, there, here, now, tuple(f for f in failures if f))

    with thread_pool(session.jobs, "lock") as pool:
        return list(pool.map(one, pins))


def _check_registry(
    session: Session, path: Path, pin: Pin
) -> tuple[RegistryState, Digest | None, GhcrctlError | None]:
    now = None
    try:
        place = session.source(pin.name)
        now = _digest_of(place, pin.name.target)
        if now == pin.digest:
            return RegistryState.CURRENT, now, None
        is_there = _digest_of(session.source(pin.reference), str(pin.digest)) is not None
    except GhcrctlError as error:
        return RegistryState.UNKNOWN, now, error
    if not is_there:
        return RegistryState.GONE, now, _deleted_error(path, pin, now)
    state = RegistryState.MOVED if now else RegistryState.UNTAGGED
    return state, now, _moved_error(path, pin, now)


def _digest_of(place: RepositorySource, name: str) -> Digest | None:
    try:
        return place.digest_of(name)
    except NotFoundError:
        return None


def _deleted_error(path: Path, pin: Pin, now: Digest | None) -> ManifestUnknownError:
    return ManifestUnknownError(
        f"the pinned image of {pin.name} was deleted: {path} pins {pin.digest}, which "
        f"{pin.name.name} no longer has",
        hint=f"ghcrctl lock {'update' if now else 'remove'} {pin.name}",
    )


def _moved_error(path: Path, pin: Pin, now: Digest | None) -> TagMovedError:
    if now is None:
        return TagMovedError(
            f"the tag {pin.name} was deleted; the image that {path} pins still exists",
            hint=f"ghcrctl lock remove {pin.name}",
        )
    return TagMovedError(
        f"{pin.name} has moved: {path} pins {pin.digest}, but it is now {now}",
        hint=f"ghcrctl lock update {pin.name}",
    )


def _check_store(session: Session, pin: Pin, records: Mapping[str, Record]) -> LocalState:
    """Return whether the store has the pinned image of any platform, complete, under its name."""
    record = records.get(str(pin.name))
    if record is None:
        return LocalState.MISSING
    if pin.digest not in {record.origin, record.descriptor.digest}:
        return LocalState.DIFFERENT
    whole = StorePlace(session.store).exists(record.descriptor)
    return LocalState.PRESENT if whole else LocalState.MISSING


def _store_error(path: Path, pin: Pin, here: LocalState) -> GhcrctlError | None:
    hint = f"ghcrctl lock pull {pin.name}"
    if here is LocalState.MISSING:
        return NoSuchImageError(f"no such image: {pin.name}, pinned by {path}", hint=hint)
    if here is LocalState.DIFFERENT:
        return TagMovedError(
            f"the local image {pin.name} is not the one pinned by {path}", hint=hint
        )
    return None
