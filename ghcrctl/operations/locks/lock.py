"""Lock: pin the names of a project to what they stand for, and move the pins.

What belongs here: asking registries for it, and which pins of a file are meant. What does not: the
file (``lock_file``), and whether it still holds (``lock_check``).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ghcrctl.content.threads import threads
from ghcrctl.errors import (
    GhcrctlError,
    InvalidManifestError,
    NotFoundError,
    PlatformNotFoundError,
    UsageError,
)
from ghcrctl.oci.platform import best_match
from ghcrctl.oci.quoting import shortened
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
    """What became of one pin.

    Args:
        name: the name, with its tag.
        before: what the file had; ``None`` where it is new.
        after: what it has now; ``None`` where the registry could not be asked.
        error: why not.
    """

    name: Reference
    before: Pin | None
    after: Pin | None = None
    error: GhcrctlError | None = None

    @property
    def has_moved(self) -> bool:
        """Whether the name stood for another image before."""
        return bool(self.before and self.after and self.before.digest != self.after.digest)


def chosen(
    pins: Mapping[Reference, Pin], names: Sequence[Reference], path: Path
) -> dict[Reference, Pin]:
    """Choose pins: all, or those of some repositories, or names with tags.

    Raises:
        NotFoundError: a name fits none.
        UsageError: a name has a digest.
    """
    found: dict[Reference, Pin] = {}
    for name in names:
        if name.digest:
            raise UsageError(f"{name} has a digest: name what is pinned by its tag")
        fitting = [pin for pin in pins if name in {pin, pin.with_tag(None)}]
        if not fitting:
            raise _not_pinned(name, pins, path)
        found |= {pin: pins[pin] for pin in fitting}
    # In the order of the file, whatever the order of the names.
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
    """Pin names; a name that is pinned stays so at its digest, unless another one is given.

    One that fails does not keep the others out of the file.

    Args:
        session: the run.
        path: the file, which need not be there yet.
        references: the names; with a digest besides the tag, that digest is pinned.
        only: the platforms that are wanted; those that were pinned, or all, without.

    Raises:
        UsageError: a name has a digest and no tag, or stands there twice; the file is malformed.
    """
    _check_names(references)
    check_lock_path(path)
    pins = read_pins(path) if path.exists() else {}

    def one(given: Reference) -> PinChange:
        name = given.with_tag(given.tagged().tag)
        before = pins.get(name)
        wanted = tuple(only) or (before.only if before else ())
        digest = given.digest or (before.digest if before else None)
        return _resolved(session, replace(name, digest=digest), before, wanted)

    changes = _each(session, one, references)
    _write(path, changes, lambda _: True)
    return changes


def _check_names(references: Sequence[Reference]) -> None:
    names = set()
    for reference in references:
        if reference.digest and not reference.tag:
            raise UsageError(
                f"{reference} has no tag: a lock file says what tags stand for",
                hint=f"ghcrctl lock add {reference.name}:TAG@{reference.digest}",
            )
        name = reference.with_tag(reference.tagged().tag)
        if name in names:
            raise UsageError(f"{name} is given twice")
        names.add(name)


def update(
    session: Session, path: Path, names: Sequence[Reference] = (), *, dry_run: bool = False
) -> list[PinChange]:
    """Move pins to what their tags stand for now.

    Args:
        session: the run.
        path: the file.
        names: repositories, or names with tags; all that are pinned without any.
        dry_run: leave the file as it is.

    Raises:
        NotFoundError: there is no such file, or a name fits no pin.
        UsageError: the file is malformed.
    """
    pins = chosen(read_pins(path), names, path)

    def one(pin: Pin) -> PinChange:
        return _resolved(session, pin.name, pin, pin.only)

    changes = _each(session, one, list(pins.values()))
    if not dry_run:
        # What another process removed meanwhile does not come back.
        _write(path, changes, lambda there: there)
    return changes


def remove(path: Path, names: Sequence[Reference]) -> list[Pin]:
    """Take pins out of a file; return them.

    Raises:
        NotFoundError: there is no such file, or a name fits no pin; then all stay.
        UsageError: the file is malformed.
    """
    gone: dict[Reference, Pin] = {}
    read_pins(path)

    def change(pins: dict[Reference, Pin]) -> None:
        gone.update(chosen(pins, names, path))
        for name in gone:
            del pins[name]

    edit_pins(path, change)
    return list(gone.values())


def _each(
    session: Session, act: Callable[[Item], PinChange], items: Sequence[Item]
) -> list[PinChange]:
    with threads(session.jobs, "lock") as pool:
        return list(pool.map(act, items))


def _write(path: Path, changes: Sequence[PinChange], wanted: Callable[[bool], bool]) -> None:
    """Put what was found into the file. ``wanted``: told whether the file has the name now."""
    found = {change.name: change.after for change in changes if change.after}

    def change(pins: dict[Reference, Pin]) -> None:
        pins.update({name: pin for name, pin in found.items() if wanted(name in pins)})

    if found:
        edit_pins(path, change)


def _resolved(
    session: Session, reference: Reference, before: Pin | None, only: tuple[Platform, ...]
) -> PinChange:
    name = reference.with_tag(reference.tag)
    try:
        return PinChange(name, before, resolve(session, reference, only))
    except GhcrctlError as error:
        return PinChange(name, before, error=error)


def resolve(session: Session, reference: Reference, only: Sequence[Platform] = ()) -> Pin:
    """Ask a registry what a name stands for, and what that is for.

    Args:
        session: the run.
        reference: the name, with its tag; with a digest too, that is what it stands for.
        only: the platforms that are wanted, where not all are.

    Raises:
        NotFoundError: there is no such image, or it is not for a platform.
        RefusedError: the name is local.
    """
    place = session.source(reference)
    root = place.resolve(reference.target)
    images = read_parts(session, place, root).images()
    platforms = [_pinned(reference, part) for part in images]
    if only:
        platforms = _wanted(reference, platforms, only)
    return Pin(
        reference.with_tag(reference.tag),
        root.digest,
        tuple(sorted(platforms, key=lambda one: one.platform.with_features)),
        tuple(dict.fromkeys(only)),
    )


def _pinned(reference: Reference, part: Part) -> PinnedPlatform:
    try:
        platform = read_platform(part.what)
    except UsageError:
        raise InvalidManifestError(
            f"{reference} has an image for `{shortened(part.what)}`, which is no platform"
        ) from None
    return PinnedPlatform(platform, part.descriptor.digest, part.size)


def _wanted(
    reference: Reference, offered: Sequence[PinnedPlatform], only: Sequence[Platform]
) -> list[PinnedPlatform]:
    """Choose platforms as a pull does."""
    kept: dict[PinnedPlatform, None] = {}
    for platform in only:
        position = best_match(platform, (one.platform for one in offered))
        if position is None:
            raise not_offered(f"{reference} is not for {platform.with_features}", offered)
        kept[offered[position]] = None
    return list(kept)


def not_offered(message: str, offered: Iterable[PinnedPlatform]) -> PlatformNotFoundError:
    """Make the error for a platform that an image is not for, naming those that it is for."""
    names = ", ".join(dict.fromkeys(one.platform.with_features for one in offered)) or "none named"
    hint = f"choose one of these with --platform: {shortened(names)}"
    return PlatformNotFoundError(message, hint=hint)
