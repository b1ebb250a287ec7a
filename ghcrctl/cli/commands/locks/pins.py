"""What the commands of ``ghcrctl lock`` share: the file's option, and how pins are shown."""

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
        help="The lock file.",
    )(function)


def pins_of(app: App, session: Session, file: Path, names: Iterable[str]) -> list[Pin]:
    """Return what a file pins: all, or what is named; a warning where that is nothing.

    Raises:
        NotFoundError: there is no such file, or a name fits no pin.
        UsageError: the file makes no sense.
    """
    references = [session.parse(name) for name in names]
    pins = select_pins(read_pins(file), references, file)
    if not pins:
        app.warn(f"{file} pins nothing")
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
    """Return the platforms of a pin with their sizes, for people."""
    return ", ".join(
        f"{one.platform.with_features} {human_size(one.size)}" for one in pin.platforms
    )


def status_of(change: PinChange) -> str:
    """Return in a word what became of a pin."""
    if change.before is None:
        return "added"
    if change.has_moved:
        return "moved"
    return "unchanged" if change.before == change.after else "changed"


def changed(change: PinChange, pin: Pin) -> dict[str, object]:
    """Return what became of a pin as a document."""
    before = change.before
    return {
        **document(pin),
        "Status": status_of(change),
        "Before": str(before.digest) if before else None,
    }


def report_failures(app: App, changes: Iterable[PinChange]) -> None:
    """Tell of those that failed; the first one's exit status is the command's."""
    failed = [change.error for change in changes if change.error]
    for error in failed:
        app.report(error)
    if failed:
        raise click.exceptions.Exit(failed[0].exit_status)
