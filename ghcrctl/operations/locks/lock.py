"""Pin image names to digests in a lock file, and update the pins."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import (
    GhcrctlError,
    InvalidManifestError,
    NotFoundError,
    PlatformNotFoundError,
    UsageError,
)
from ghcrctl.oci.platform import best_match
from ghcrctl.oci.quotes import shortened
from ghcrctl.operations.images.platforms import read_parts
from ghcrctl.operations.locks.lock_file import (
    Pin,
    PinnedPlatform,
    check_lock_path,
    edit_pins,
    read_pins,
    read_platform,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.platforms import Part

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PinChange:
    """The result of pinning one name.

    Args:
        name: the name, with its tag.
        before: the previous pin; ``None`` for a new name.
        after: the new pin; ``None`` if the name could not be resolved.
        error: why the name could not be resolved.
    """

    name: Reference
    before: Pin | None
    after: Pin | None = None
    error: GhcrctlError | None = None

    @property
    def has_moved(self) -> bool:
        """Whether the digest has changed."""
        return bool(self.before and self.after and self.before.digest != self.after.digest)


def select_pins(
    pins: Mapping[Reference, Pin], names: Sequence[Reference], path: Path
) -> dict[Reference, Pin]:
    """Select pins by repositories or names with tags; all pins by default.

    Raises:
        NotFoundError: a name matches no pin.
        UsageError: a name has a digest.
    """
    found: dict[Reference, Pin] = {}
    for name in names:
        if name.digest:
            raise UsageError(f"invalid name {name}: expected a tag, not a digest")
        fitting = [pin for pin in pins if name in {pin, pin.with_tag(None)}]
        if not fitting:
            raise _not_pinned(name, pins, path)
        found |= {pin: pins[pin] for pin in fitting}
    # Return the pins in the order of the lock file.
    return {pin: pins[pin] for pin in pins if pin in found or not names}


def _not_pinned(name: Reference, pins: Iterable[Reference], path: Path) -> NotFoundError:
    near = difflib.get_close_matches(str(name), map(str, pins), 1, 0.7)
    hint = f"did you mean {near[0]}?" if near else f"ghcrctl lock add {name}"
    return NotFoundError(f"{path} does not pin {name}", hint=hint)


def add(
    session: Session,
    path: Path,
    references: Sequence[Reference],
    *,
    only: Sequence[Platform] = (),
) -> list[PinChange]:
    """Pin names; a pinned name keeps its digest unless another one is given.

    A name that cannot be resolved does not prevent the others from being pinned.

    Args:
        session: the run.
        path: the lock file, which may not exist yet.
        references: the names; a digest besides the tag is pinned as given.
        only: the platforms to pin; by default, those pinned before, or all.

    Raises:
        UsageError: a name has a digest but no tag, or is given twice; or the file is malformed.
    """
    _check_names(references)
    check_lock_path(path)
    pins = read_pins(path) if path.exists() else {}

    def one(given: Reference) -> PinChange:
        name = given.with_tag(given.tagged().tag)
        before = pins.get(name)
        wanted = tuple(only) or (before.only if before else ())
        digest = given.digest or (before.digest if before else None)
        return _try_resolve(session, replace(name, digest=digest), before, wanted)

    changes = _run_parallel(session, one, references)
    _write(path, changes, lambda _: True)
    return changes


def _check_names(references: Sequence[Reference]) -> None:
    names = set()
    for reference in references:
        if reference.digest and not reference.tag:
            raise UsageError(
                f"{reference} has no tag: a lock file pins tags",
                hint=f"ghcrctl lock add {reference.name}:TAG@{reference.digest}",
            )
        name = reference.with_tag(reference.tagged().tag)
        if name in names:
            raise UsageError(f"{name} is given twice")
        names.add(name)


def update(
    session: Session, path: Path, names: Sequence[Reference] = (), *, dry_run: bool = False
) -> list[PinChange]:
    """Update pins to the digests that their tags point to now.

    Args:
        session: the run.
        path: the lock file.
        names: repositories, or names with tags; by default, all pins.
        dry_run: do not change the file.

    Raises:
        NotFoundError: the file does not exist, or a name matches no pin.
        UsageError: the file is malformed.
    """
    pins = select_pins(read_pins(path), names, path)

    def one(pin: Pin) -> PinChange:
        return _try_resolve(session, pin.name, pin, pin.only)

    changes = _run_parallel(session, one, list(pins.values()))
    if not dry_run:
        # Do not restore pins that another process has removed in the meantime.
        _write(path, changes, lambda there: there)
    return changes


def remove(path: Path, names: Sequence[Reference]) -> list[Pin]:
    """Remove pins from a file and return them.

    Raises:
        NotFoundError: the file does not exist, or a name matches no pin; nothing is removed.
        UsageError: the file is malformed.
    """
    removed: dict[Reference, Pin] = {}
    read_pins(path)

    def change(pins: dict[Reference, Pin]) -> None:
        removed.update(select_pins(pins, names, path))
        for name in removed:
            del pins[name]

    edit_pins(path, change)
    return list(removed.values())


def _run_parallel(
    session: Session, act: Callable[[Item], PinChange], items: Sequence[Item]
) -> list[PinChange]:
    with thread_pool(session.jobs, "lock") as pool:
        return list(pool.map(act, items))


def _write(path: Path, changes: Sequence[PinChange], wanted: Callable[[bool], bool]) -> None:
    """Write new pins. ``wanted``: returns whether to include a name, given whether it is pinned."""
    found = {change.name: change.after for change in changes if change.after}

    def change(pins: dict[Reference, Pin]) -> None:
        pins.update({name: pin for name, pin in found.items() if wanted(name in pins)})

    if found:
        edit_pins(path, change)


def _try_resolve(
    session: Session, reference: Reference, before: Pin | None, only: tuple[Platform, ...]
) -> PinChange:
    name = reference.with_tag(reference.tag)
    try:
        return PinChange(name, before, resolve(session, reference, only))
    except GhcrctlError as error:
        return PinChange(name, before, error=error)


def resolve(session: Session, reference: Reference, only: Sequence[Platform] = ()) -> Pin:
    """Resolve a name at its registry to a digest and its platforms.

    Args:
        session: the run.
        reference: the name, with its tag; a digest is used as given.
        only: the platforms to pin; by default, all.

    Raises:
        NotFoundError: the image does not exist, or not for one of the platforms.
        RefusedError: the name is local.
    """
    place = session.source(reference)
    root = place.resolve(reference.target)
    images = read_parts(session, place, root).images()
    platforms = [_pin_platform(reference, part) for part in images]
    if only:
        platforms = _select_platforms(reference, platforms, only)
    return Pin(
        reference.with_tag(reference.tag),
        root.digest,
        tuple(sorted(platforms, key=lambda one: one.platform.with_features)),
        tuple(dict.fromkeys(only)),
    )


def _pin_platform(reference: Reference, part: Part) -> PinnedPlatform:
    try:
        platform = read_platform(part.what)
    except UsageError:
        raise InvalidManifestError(
            f"{reference} has an image for an invalid platform: `{shortened(part.what)}`"
        ) from None
    return PinnedPlatform(platform, part.descriptor.digest, part.size)


def _select_platforms(
    reference: Reference, offered: Sequence[PinnedPlatform], only: Sequence[Platform]
) -> list[PinnedPlatform]:
    """Choose platforms with the same rules as a pull."""
    kept: dict[PinnedPlatform, None] = {}
    for platform in only:
        position = best_match(platform, (one.platform for one in offered))
        if position is None:
            raise platform_error(f"{reference} has no image for {platform.with_features}", offered)
        kept[offered[position]] = None
    return list(kept)


def platform_error(message: str, offered: Iterable[PinnedPlatform]) -> PlatformNotFoundError:
    """Build the error for a missing platform, with the existing ones in its hint."""
    names = ", ".join(dict.fromkeys(one.platform.with_features for one in offered)) or "none named"
    hint = f"choose one of these with --platform: {shortened(names)}"
    return PlatformNotFoundError(message, hint=hint)
