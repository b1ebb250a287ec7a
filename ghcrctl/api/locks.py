"""Calls of the group ``lock``: the file that pins the names of a project.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, path_of, platforms_of, references_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.api.arguments import Names, PathLike, Platforms
    from ghcrctl.operations.common.batch import Attempt
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.locks.check import CheckedPin
    from ghcrctl.operations.locks.lock import PinChange
    from ghcrctl.operations.locks.lock_file import Pin
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers

_FILE = "images.lock"


class Locks(Caller):
    """Calls that pin the image names of a project in a file.

    Wherever names may be left out, all that are pinned are meant; a name without a tag means all
    tags of its repository that are pinned.
    """

    def add(
        self, names: Names, *, platform: Platforms = None, file: PathLike = _FILE
    ) -> list[PinChange]:
        """Pin names to what they stand for now; one that is pinned stays at its digest.

        One that fails does not keep the others out of the file: see each one's ``error``.

        Args:
            names: ``NAME[:TAG][@DIGEST]``; with a digest behind the tag, that one is pinned.
            platform: the platforms that are wanted; all without.
            file: the lock file, which need not be there yet.

        Raises:
            UsageError: a name has a digest and no tag, or stands there twice; the file makes no
                sense.
        """
        from ghcrctl.operations.locks.lock import add

        with self._session() as session:
            references = references_of(session, names)
            return add(session, path_of(file), references, only=platforms_of(platform))

    def update(
        self, names: Names = (), *, dry_run: bool = False, file: PathLike = _FILE
    ) -> list[PinChange]:
        """Move pins to what their tags stand for now.

        One that fails keeps its pin: see its ``error``.

        Args:
            names: ``NAME[:TAG]``.
            dry_run: leave the file as it is.
            file: the lock file.

        Raises:
            NotFoundError: there is no such file, or a name fits no pin.
            UsageError: the file makes no sense.
        """
        from ghcrctl.operations.locks.lock import update

        with self._session() as session:
            references = references_of(session, names)
            return update(session, path_of(file), references, dry_run=dry_run)

    def check(
        self,
        names: Names = (),
        *,
        offline: bool = False,
        local: bool = False,
        file: PathLike = _FILE,
    ) -> list[CheckedPin]:
        """Compare pins with what is there; one holds where it has no ``failures``.

        Args:
            names: ``NAME[:TAG]``.
            offline: ask no registry.
            local: look into the local store, too.
            file: the lock file.

        Raises:
            NotFoundError: there is no such file, or a name fits no pin.
            UsageError: the file makes no sense.
        """
        from ghcrctl.operations.locks.check import check_pins

        path = path_of(file)
        with self._session() as session:
            pins = _chosen(session, path, names)
            return check_pins(session, path, pins, ask=not offline, local=local)

    def pull(
        self,
        names: Names = (),
        *,
        platform: Platforms = None,
        all_platforms: bool = False,
        observer: Observer = ignore,
        file: PathLike = _FILE,
    ) -> list[Attempt[Pin, PullResult]]:
        """Bring exactly what is pinned, under the names that are pinned.

        One that fails does not stop the others: ask each attempt for its result.

        Args:
            names: ``NAME[:TAG]``.
            platform: which of the pinned platforms; this machine's by default.
            all_platforms: all platforms that are pinned.
            observer: watches what moves of all of them, from several threads, one event at a time
                for each image.
            file: the lock file.

        Raises:
            NotFoundError: there is no such file, or a name fits no pin.
            UsageError: the file makes no sense.
        """
        from ghcrctl.operations.common.batch import attempt_all
        from ghcrctl.operations.common.platform_selection import Selection
        from ghcrctl.operations.locks.pull import pull_pin

        select = Selection.of(platforms_of(platform), everything=all_platforms)
        with self._session() as session:

            def act(pin: Pin, workers: Workers) -> PullResult:
                return pull_pin(session, pin, select=select, observer=observer, workers=workers)

            return attempt_all(session, act, _chosen(session, path_of(file), names))

    def remove(self, names: Names, *, file: PathLike = _FILE) -> list[Pin]:
        """Take pins out of the file, and return them; images that were pulled stay.

        Args:
            names: ``NAME[:TAG]``.
            file: the lock file.

        Raises:
            NotFoundError: there is no such file, or a name fits no pin; then all stay.
            UsageError: the file makes no sense.
        """
        from ghcrctl.operations.locks.lock import remove

        with self._session() as session:
            return remove(path_of(file), references_of(session, names))

    def list(self, names: Names = (), *, file: PathLike = _FILE) -> list[Pin]:
        """Return what is pinned; no registry is asked.

        Args:
            names: ``NAME[:TAG]``.
            file: the lock file.

        Raises:
            NotFoundError: there is no such file, or a name fits no pin.
            UsageError: the file makes no sense.
        """
        with self._session() as session:
            return _chosen(session, path_of(file), names)


def _chosen(session: Session, path: Path, names: Names) -> list[Pin]:
    from ghcrctl.operations.locks.lock import select_pins
    from ghcrctl.operations.locks.lock_file import read_pins

    references = references_of(session, names)
    return list(select_pins(read_pins(path), references, path).values())
