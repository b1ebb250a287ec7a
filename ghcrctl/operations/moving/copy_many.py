"""Copy multiple images in one operation, with separate access for source and target."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.operations.common.registry_access import use_access
from ghcrctl.operations.moving.copy import OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.parse import check_distinct_names
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.operations.common.registry_access import Access
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.copy import Copied, CopyOptions
    from ghcrctl.operations.moving.endpoints.base import Endpoint
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """An open copy of multiple images.

    Args:
        groups: the images; images of one group are copied in parallel, and groups one after
            another.
        session: the run.
        reader: the session that reads.
        into: the target.
        options: the options.
    """

    groups: tuple[tuple[Endpoint, ...], ...]
    session: Session
    reader: Session
    into: OpenTarget
    options: CopyOptions

    def copy(self, source: Endpoint, observer: Observer = ignore, *, workers: Workers) -> Copied:
        """Copy one of the images; errors are those of `copy_into`."""
        return copy_into(
            self.session,
            source,
            self.into,
            self.options,
            reader=self.reader,
            observer=observer,
            workers=workers,
        )


@contextmanager
def open_copy(
    session: Session,
    sources: Sequence[Endpoint],
    target: Endpoint,
    options: CopyOptions,
    *,
    accesses: tuple[Access | None, Access | None] = (None, None),
) -> Iterator[OpenCopy]:
    """Open the source and target of a copy; a target such as an archive is complete at the end.

    Args:
        session: the run.
        sources: the images.
        target: the target.
        options: the options.
        accesses: the separate access of source and target.

    Raises:
        UsageError: the target is a single image, is an archive that is also a source, or would get
            two images of the same name.
    """
    from ghcrctl.operations.moving.endpoints.files import check_archive_not_read

    check_distinct_names(sources, target)
    check_archive_not_read(sources, target)
    source_access, target_access = accesses
    with (
        use_access(session, source_access) as reader,
        use_access(session, target_access) as writer,
        target.sink(writer, dry_run=options.dry_run) as sink,
    ):
        apart = tuple((end,) for end in sources)
        groups = apart if target.is_sequential else (tuple(sources),)
        yield OpenCopy(groups, session, reader, OpenTarget(target, sink), options)
