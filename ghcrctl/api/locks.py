"""Calls of the group ``lock`` on lock files."""

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
    """Calls that pin image names to digests in a lock file.

    Optional names default to all pins. A name without a tag means all pinned tags of its
    repository.
    """

    def add(
        self, names: Names, *, platform: Platforms = None, file: PathLike = _FILE
    ) -> list[PinChange]:
        """Pin names to their current digests. Names that are already pinned keep their digest.

        If a name fails, the others are still added. The result of each name has its ``error``.

        Args:
            names: ``NAME[:TAG][@DIGEST]``; a digest after the tag is pinned as given.
            platform: the platforms to pin; by default, all.
            file: the lock file, which is created if needed.

        Raises:
            UsageError: a name has a digest but no tag, or occurs twice, or the file is invalid.
        """
        from ghcrctl.operations.locks.lock import add

        with self._session() as session:
            references = references_of(session, names)
            return add(session, path_of(file), references, only=platforms_of(platform))

    def update(
        self, names: Names = (), *, dry_run: bool = False, file: PathLike = _FILE
    ) -> list[PinChange]:
        """Update pins to the current digests of their tags.

        If a name fails, its pin is kept, and its result has the ``error``.

        Args:
            names: ``NAME[:TAG]``.
            dry_run: do not write the file.
            file: the lock file.

        Raises:
            NotFoundError: the file or a pin does not exist.
            UsageError: the file is invalid.
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
        """Compare pins with their registries. A matching pin has no ``failures``.

        Args:
            names: ``NAME[:TAG]``.
            offline: do not contact registries.
            local: also check the local store.
            file: the lock file.

        Raises:
            NotFoundError: the file or a pin does not exist.
            UsageError: the file is invalid.
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
        """Pull pinned images, under their pinned names.

        If an image fails, the others are still pulled. Each attempt has its result or error.

        Args:
            names: ``NAME[:TAG]``.
            platform: the pinned platforms to pull; by default, this machine's.
            all_platforms: pull all pinned platforms.
            observer: receives the progress events of all images, from multiple threads, but one at
                a time for each image.
            file: the lock file.

        Raises:
            NotFoundError: the file or a pin does not exist.
            UsageError: the file is invalid.
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
        """Remove pins from the lock file and return them, without deleting local images.

        Args:
            names: ``NAME[:TAG]``.
            file: the lock file.

        Raises:
            NotFoundError: the file or a pin does not exist; no pin is removed.
            UsageError: the file is invalid.
        """
        from ghcrctl.operations.locks.lock import remove

        with self._session() as session:
            return remove(path_of(file), references_of(session, names))

    def list(self, names: Names = (), *, file: PathLike = _FILE) -> list[Pin]:
        """Return pins, without contacting registries.

        Args:
            names: ``NAME[:TAG]``.
            file: the lock file.

        Raises:
            NotFoundError: the file or a pin does not exist.
            UsageError: the file is invalid.
        """
        with self._session() as session:
            return _chosen(session, path_of(file), names)


def _chosen(session: Session, path: Path, names: Names) -> list[Pin]:
    from ghcrctl.operations.locks.lock import select_pins
    from ghcrctl.operations.locks.lock_file import read_pins

    references = references_of(session, names)
    return list(select_pins(read_pins(path), references, path).values())
