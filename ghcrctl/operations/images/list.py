"""List the images of the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import UsageError
from ghcrctl.operations.images.filters import BEGINNING, filters_of, matches_reference
from ghcrctl.operations.images.image_row import ImageRow
from ghcrctl.store.attached_referrers import listed_by_indexes
from ghcrctl.store.records import split_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Listed

SORT_KEYS = ("created", "name", "repository", "size", "tag", "id")


def list_images(
    session: Session,
    *,
    name: str | None = None,
    filters: Sequence[str] = (),
    sort: str = "created",
) -> list[ImageRow]:
    """List the store's images.

    Args:
        session: the run.
        name: only this repository, or this name with its tag; may contain ``*`` and ``?``.
        filters: ``key=value``, as in docker.
        sort: one of `SORT_KEYS`; newest or largest first for ``created`` and ``size``.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
        UsageError: the sort key is unknown.
    """
    if sort not in SORT_KEYS:
        raise UsageError(f"invalid sort key `{sort}`", hint=f"use one of: {', '.join(SORT_KEYS)}")
    rows = _without_parts(session, _rows(session.store.listing()))
    if name:
        has_name = _name_filter(session, name)
        rows = [row for row in rows if has_name(row)]
    for accept in filters_of(session, filters):
        rows = [row for row in rows if accept(row)]
    return _sorted(rows, sort)


def _rows(listed: Iterable[Listed]) -> list[ImageRow]:
    """Build the rows; omit a name by digest if the repository has a tag for the same image."""
    rows = [ImageRow(*split_name(entry.name), entry) for entry in listed]
    if all(row.tag for row in rows):
        return rows
    tagged = {(row.repository, row.image_id) for row in rows if row.tag}
    return [row for row in rows if row.tag or (row.repository, row.image_id) not in tagged]


def _without_parts(session: Session, rows: list[ImageRow]) -> list[ImageRow]:
    """Leave out manifests that were pushed by digest before the index that lists them."""
    homes = {row.repository for row in rows if row.repository and not row.tag}
    if not homes:
        return rows
    listed = listed_by_indexes(
        session.store.graph, (row.record for row in rows if row.repository in homes)
    )
    return [
        row
        for row in rows
        if row.tag or (row.repository, row.record.descriptor.digest) not in listed
    ]


def _name_filter(session: Session, name: str) -> Callable[[ImageRow], bool]:
    """Return a check whether a row has a name, or matches it where it is a pattern."""
    if any(character in name for character in "*?[\\"):
        return matches_reference(session, [name])

    def has_name(row: ImageRow) -> bool:
        if name in {row.repository, f"{row.repository}:{row.tag}"}:
            return True
        wanted = session.parse(name)
        if wanted.digest and wanted.digest != row.digest:
            return False
        return wanted.name == row.repository and wanted.tag in {None, row.tag}

    return has_name


def _sorted(rows: list[ImageRow], sort: str) -> list[ImageRow]:
    keys: dict[str, Callable[[ImageRow], object]] = {
        "created": lambda row: row.created or BEGINNING,
        "size": lambda row: row.size,
        "name": lambda row: (row.repository, row.tag),
        "repository": lambda row: row.repository,
        "tag": lambda row: row.tag,
        "id": lambda row: str(row.image_id),
    }
    by_name = sorted(rows, key=lambda row: (row.repository, row.tag))
    return sorted(by_name, key=keys[sort], reverse=sort in {"created", "size"})  # type: ignore[arg-type]
