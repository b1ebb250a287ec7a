"""Code shared by the commands of ``ghcrctl lock``: ``--file`` and the output of pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.path_types import PATH
from ghcrctl.operations.locks.lock import select_pins
from ghcrctl.operations.locks.lock_file import read_pins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.locks.lock import PinChange
    from ghcrctl.operations.locks.lock_file import Pin

    Function = TypeVar("Function", bound=Callable[..., Any])


def file_option(function: Function) -> Function:
    """Add ``--file``."""
    return click.option(
        "-f",
        "--file",
        "file",
        metavar="FILE",
        type=PATH,
        default="images.lock",
        show_default=True,
        help="Use this lock file.",
    )(function)


def pins_of(app: App, session: Session, file: Path, names: Iterable[str]) -> list[Pin]:
    """Return all pins of a lock file, or those with the given names; warn if it has none.

    Raises:
        NotFoundError: the file or a pin does not exist.
        UsageError: the file is invalid.
    """
    references = [session.parse(name) for name in names]
    pins = select_pins(read_pins(file), references, file)
    if not pins:
        app.warn(f"{file} has no pins")
    return list(pins.values())


def document(pin: Pin) -> dict[str, object]:
    """Return a pin as a document."""
    return {
        "Name": str(pin.name),
        "Repository": pin.name.name,
        "Tag": pin.name.tag,
        "Digest": str(pin.digest),
        "Pinned": str(pin.reference),
        "Only": [platform.with_features for platform in pin.only],
        "Platforms": [
            {"Platform": one.platform.with_features, "Digest": str(one.digest), "Size": one.size}
            for one in pin.platforms
        ],
    }


def platforms_shown(pin: Pin) -> str:
    """Return the platforms of a pin with their sizes as text."""
    return ", ".join(
        f"{one.platform.with_features} {human_size(one.size)}" for one in pin.platforms
    )


def status_of(change: PinChange) -> str:
    """Return the status of a pin after a change."""
    if change.before is None:
        return "added"
    if change.has_moved:
        return "moved"
    return "unchanged" if change.before == change.after else "changed"


def changed(change: PinChange, pin: Pin) -> dict[str, object]:
    """Return a changed pin as a document."""
    before = change.before
    return {
        **document(pin),
        "Status": status_of(change),
        "Before": str(before.digest) if before else None,
    }


def report_failures(app: App, changes: Iterable[PinChange]) -> None:
    """Report failed changes, and exit with the status of the first one."""
    failed = [change.error for change in changes if change.error]
    for error in failed:
        app.report(error)
    if failed:
        raise click.exceptions.Exit(failed[0].exit_status)
