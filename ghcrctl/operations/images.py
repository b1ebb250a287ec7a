"""Images: list what the local store has.

What belongs here: which rows there are, their order, docker's filters. What does not: columns and
formats (``cli``).
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError, UsageError
from ghcrctl.oci.config import parse_time
from ghcrctl.operations.find import find
from ghcrctl.store.records import split_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.session import Session
    from ghcrctl.store.records import Listed, Record

_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
FILTERS = ("before", "dangling", "label", "reference", "since")
SORT_KEYS = ("created", "name", "repository", "size", "tag", "id")


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the table.

    Args:
        repository: registry and repository; empty where the image has no name.
        tag: empty where there is none.
        listed: what the store's list says.
    """

    repository: str
    tag: str
    listed: Listed

    @property
    def digest(self) -> Digest | None:
        """What the repository knows the image by; ``None`` where that is not known."""
        return self.listed.origin

    @property
    def image_id(self) -> Digest:
        """The config's digest."""
        return self.listed.image_id

    @property
    def created(self) -> datetime | None:
        """Aware UTC; ``None`` where the image does not say."""
        return _parse_time(self.listed.created)

    @property
    def size(self) -> int:
        """Bytes, as stored."""
        return self.listed.size

    @property
    def kind(self) -> str:
        """Empty for a container image, else what kind of artifact it is."""
        return self.listed.kind

    @property
    def record(self) -> Record:
        """The store's record."""
        return self.listed.record


# Names of one image have its time.
_parse_time = lru_cache(maxsize=4096)(parse_time)


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
        name: only this repository, or this name with its tag; ``*`` and ``?`` stand for characters.
        filters: ``key=value`` as docker has them; of one key any must hold, of several keys all.
        sort: one of `SORT_KEYS`; created and size sort from the top.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
        UsageError: there is no such order.
    """
    if sort not in SORT_KEYS:
        raise UsageError(f"cannot be sorted by `{sort}`", hint=f"sort by {', '.join(SORT_KEYS)}")
    rows = _rows(session.store.listing())
    if name:
        rows = [row for row in rows if _has_name(session, row, name)]
    for accept in _accepters(session, filters):
        rows = [row for row in rows if accept(row)]
    return _sorted(rows, sort)


def _rows(listed: Iterable[Listed]) -> list[ImageRow]:
    """Make the rows; a name by digest shows only where the repository has no tag on the image."""
    rows = [ImageRow(*split_name(entry.name), entry) for entry in listed]
    if all(row.tag for row in rows):
        return rows
    tagged = {(row.repository, row.image_id) for row in rows if row.tag}
    return [row for row in rows if row.tag or (row.repository, row.image_id) not in tagged]


def _has_name(session: Session, row: ImageRow, name: str) -> bool:
    if name in {row.repository, f"{row.repository}:{row.tag}"}:
        return True
    if any(character in name for character in "*?["):
        return _matches_pattern(row, name)
    wanted = session.parse(name)
    if wanted.digest and wanted.digest != row.digest:
        return False
    return wanted.name == row.repository and wanted.tag in {None, row.tag}


def _accepters(session: Session, filters: Sequence[str]) -> list[Callable[[ImageRow], bool]]:
    by_key: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals or key not in FILTERS:
            raise InvalidFilterError(
                f"invalid filter `{item}`",
                hint=f"write KEY=VALUE with one of the keys {', '.join(FILTERS)}",
            )
        by_key.setdefault(key, []).append(value)
    return [_accepter(session, key, values) for key, values in by_key.items()]


def _accepter(session: Session, key: str, values: list[str]) -> Callable[[ImageRow], bool]:
    if key == "dangling":
        wanted = {_boolean(value) for value in values}
        return lambda row: _is_dangling(row, wanted)
    if key == "reference":
        return lambda row: any(_matches_pattern(row, value) for value in values)
    if key == "label":
        return lambda row: all(_has_label(session, row, value) for value in values)
    limits = [_created(session, value) for value in values]
    if key == "before":
        return lambda row: (row.created or _BEGINNING) < min(limits)
    return lambda row: (row.created or _BEGINNING) > max(limits)


def _created(session: Session, text: str) -> datetime:
    return parse_time(find(session, text).record.facts.created) or _BEGINNING


def _is_dangling(row: ImageRow, wanted: set[bool]) -> bool:
    """Tell whether a row is wanted; as in docker, a name by digest counts as either."""
    return (not row.tag and True in wanted) or (bool(row.repository) and False in wanted)


def _boolean(value: str) -> bool:
    if value.lower() in {"1", "t", "true"}:
        return True
    if value.lower() in {"0", "f", "false"}:
        return False
    raise InvalidFilterError(f"invalid filter `dangling={value}`", hint="it is true or false")


def _matches_pattern(row: ImageRow, pattern: str) -> bool:
    """Tell whether a pattern fits a name, with or without registry, with or without tag."""
    short = row.repository.partition("/")[2]
    names = [name for name in (row.repository, short) if name]
    candidates = [*names, *(f"{name}:{row.tag}" for name in names)]
    return any(
        candidate.count("/") == pattern.count("/") and fnmatch.fnmatchcase(candidate, pattern)
        for candidate in candidates
    )


def _has_label(session: Session, row: ImageRow, wanted: str) -> bool:
    from ghcrctl.operations.contents import has_label, image_of

    blobs, platform = session.store.blobs, session.settings.platform
    return has_label(image_of(blobs, row.record.descriptor, platform, any_config=True), wanted)


def _sorted(rows: list[ImageRow], sort: str) -> list[ImageRow]:
    keys: dict[str, Callable[[ImageRow], object]] = {
        "created": lambda row: row.created or _BEGINNING,
        "size": lambda row: row.size,
        "name": lambda row: (row.repository, row.tag),
        "repository": lambda row: row.repository,
        "tag": lambda row: row.tag,
        "id": lambda row: str(row.image_id),
    }
    by_name = sorted(rows, key=lambda row: (row.repository, row.tag))
    return sorted(by_name, key=keys[sort], reverse=sort in {"created", "size"})  # type: ignore[arg-type]
