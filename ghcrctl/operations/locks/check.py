"""Whether a lock file still holds: at registries, and in the local store.

What belongs here: comparing, changing nothing. What does not: moving pins (``lock``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.threads import threads
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


class There(Enum):
    """How a pin relates to its registry."""

    CURRENT = "current"
    MOVED = "moved"
    UNTAGGED = "untagged"
    GONE = "gone"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


class Here(Enum):
    """How a pin relates to the local store."""

    PRESENT = "present"
    MISSING = "missing"
    DIFFERENT = "different"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class CheckedPin:
    """A pin beside its registry and the local store.

    Args:
        pin: it.
        there: how it relates to its registry.
        here: how it relates to the local store.
        now: what the tag stands for at the registry now, where that is known.
        failures: why the pin does not hold, or why that is not known.
    """

    pin: Pin
    there: There
    here: Here
    now: Digest | None
    failures: tuple[GhcrctlError, ...]


def worst(checked: Iterable[CheckedPin]) -> ExitStatus:
    """Return the exit status for several pins.

    What could not be asked comes first, since more may be wrong there; then what is not to be had,
    since no pull brings it; then what has moved.
    """
    order = (ExitStatus.DIFFERENT, ExitStatus.NOT_FOUND)
    found = [failure.exit_status for one in checked for failure in one.failures]
    # The first of several that weigh the same.
    weigh = {status: weight for weight, status in enumerate(order)}
    return max(found, key=lambda s: weigh.get(s, len(order)), default=ExitStatus.SUCCESS)


def check_pins(
    session: Session, path: Path, pins: Sequence[Pin], *, ask: bool = True, local: bool = False
) -> list[CheckedPin]:
    """Compare pins with what is there, by one request each, and one more where a tag has moved.

    Args:
        session: the run.
        path: the file that they are in, for errors.
        pins: what is compared.
        ask: ask the registries.
        local: look into the local store, too.

    Raises:
        StoreDamagedError: the store's list of images is damaged.
    """
    records = {record.name: record for record in session.store.records()} if local else {}

    def one(pin: Pin) -> CheckedPin:
        there, now, failure = _there(session, path, pin) if ask else (There.NOT_ASKED, None, None)
        here = _here(session, pin, records) if local else Here.NOT_ASKED
        failures = (failure, _not_here(path, pin, here))
        return CheckedPin(pin, there, here, now, tuple(f for f in failures if f))

    with threads(session.jobs, "lock") as pool:
        return list(pool.map(one, pins))


def _there(
    session: Session, path: Path, pin: Pin
) -> tuple[There, Digest | None, GhcrctlError | None]:
    now = None
    try:
        place = session.source(pin.name)
        now = _digest_of(place, pin.name.target)
        if now == pin.digest:
            return There.CURRENT, now, None
        is_there = _digest_of(session.source(pin.reference), str(pin.digest)) is not None
    except GhcrctlError as error:
        return There.UNKNOWN, now, error
    if not is_there:
        return There.GONE, now, _gone(path, pin, now)
    state = There.MOVED if now else There.UNTAGGED
    return state, now, _moved(path, pin, now)


def _digest_of(place: RepositorySource, name: str) -> Digest | None:
    try:
        return place.digest_of(name)
    except NotFoundError:
        return None


def _gone(path: Path, pin: Pin, now: Digest | None) -> ManifestUnknownError:
    return ManifestUnknownError(
        f"{pin.name} is not to be had any more as {path} pins it: {pin.name.name} has no "
        f"{pin.digest}",
        hint=f"ghcrctl lock {'update' if now else 'remove'} {pin.name}",
    )


def _moved(path: Path, pin: Pin, now: Digest | None) -> TagMovedError:
    if now is None:
        return TagMovedError(
            f"there is no tag {pin.name} any more; the image that {path} pins is still there",
            hint=f"ghcrctl lock remove {pin.name}",
        )
    return TagMovedError(
        f"{pin.name} has moved: {path} pins {pin.digest}, and it is {now} now",
        hint=f"ghcrctl lock update {pin.name}",
    )


def _here(session: Session, pin: Pin, records: Mapping[str, Record]) -> Here:
    """Tell whether the store has a pin's image under its name, whole; of any of its platforms."""
    record = records.get(str(pin.name))
    if record is None:
        return Here.MISSING
    if pin.digest not in {record.origin, record.descriptor.digest}:
        return Here.DIFFERENT
    whole = StorePlace(session.store).exists(record.descriptor)
    return Here.PRESENT if whole else Here.MISSING


def _not_here(path: Path, pin: Pin, here: Here) -> GhcrctlError | None:
    hint = f"ghcrctl lock pull {pin.name}"
    if here is Here.MISSING:
        return NoSuchImageError(f"no such image: {pin.name}, which {path} pins", hint=hint)
    if here is Here.DIFFERENT:
        return TagMovedError(f"{pin.name} is another image here than {path} pins", hint=hint)
    return None
