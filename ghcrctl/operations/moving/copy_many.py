"""Several images copied in one act, each side with an access of its own.

What belongs here: opening both sides, and what goes at once. What does not: copying one of the
images (`copy`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.operations.common.registry_access import use_access
from ghcrctl.operations.moving.copy import Into, copy_into
from ghcrctl.operations.moving.endpoints.parse import check_several
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.operations.common.registry_access import Access
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.copy import Copied, Wish
    from ghcrctl.operations.moving.endpoints.base import End
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """Both sides of a copy, open.

    Args:
        groups: the images, in groups: those of one go at once, and one group after the other.
        session: the run.
        reader: the side that reads.
        into: where the images go.
        wish: how they are to be copied.
    """

    groups: tuple[tuple[End, ...], ...]
    session: Session
    reader: Session
    into: Into
    wish: Wish

    def copy(self, source: End, observer: Observer = ignore, *, workers: Workers) -> Copied:
        """Copy one of the images; errors are those of `copy_into`."""
        return copy_into(
            self.session,
            source,
            self.into,
            self.wish,
            reader=self.reader,
            observer=observer,
            workers=workers,
        )


@contextmanager
def open_copy(
    session: Session,
    sources: Sequence[End],
    target: End,
    wish: Wish,
    *,
    accesses: tuple[Access | None, Access | None] = (None, None),
) -> Iterator[OpenCopy]:
    """Open both sides of a copy; what has an order, as an archive, is whole when the block ends.

    Args:
        session: the run.
        sources: the images.
        target: where they go.
        wish: how.
        accesses: what each side has for itself, source and target.

    Raises:
        UsageError: the target is one image, is an archive that is read, or would have two images of
            one name.
    """
    from ghcrctl.operations.moving.endpoints.files import check_two_archives

    check_several(sources, target)
    check_two_archives(sources, target)
    mine, theirs = accesses
    with (
        use_access(session, mine) as reader,
        use_access(session, theirs) as writer,
        target.sink(writer, dry_run=wish.dry_run) as sink,
    ):
        apart = tuple((end,) for end in sources)
        groups = apart if target.is_one_by_one else (tuple(sources),)
        yield OpenCopy(groups, session, reader, Into(target, sink), wish)
