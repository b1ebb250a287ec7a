"""Docker's filters for the list of local images: ``--filter KEY=VALUE``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.config import parse_time
from ghcrctl.oci.go_booleans import parse_bool
from ghcrctl.oci.path_match import path_pattern
from ghcrctl.oci.reference import familiar_names
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.times import parse_point_in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.images.image_row import ImageRow

    Accepts = Callable[[ImageRow], bool]

BEGINNING = datetime.min.replace(tzinfo=timezone.utc)


def filters_of(session: Session, filters: Sequence[str]) -> list[Accepts]:
    """Return a check for each key of the filters; an image must pass all of them.

    Args:
        session: the run.
        filters: ``key=value``, the key in any case. Multiple references are alternatives; multiple
            values of any other key must all match.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
    """
    by_key: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        key = key.strip().lower()
        if item and (not equals or key not in _FILTERS):
            raise InvalidFilterError(
                f"invalid filter `{item}`: expected KEY=VALUE",
                hint=f"use one of the keys {', '.join(_FILTERS)}",
            )
        if item:
            by_key.setdefault(key, []).append(value.strip())
    return [_FILTERS[key](session, values) for key, values in by_key.items()]


def matches_reference(session: Session, patterns: Sequence[str]) -> Accepts:
    """Return a check whether a name matches any pattern, with or without its tag.

    Names are matched as docker shows them: without ``docker.io`` and ``library``. Names in the
    default registry also match without the registry.

    Raises:
        InvalidFilterError: a pattern is malformed.
    """
    compiled = [path_pattern(pattern) for pattern in patterns]
    default = session.settings.get("default_registry")

    def accepts(row: ImageRow) -> bool:
        names = familiar_names(row.repository, default) if row.repository else ()
        candidates = [text for name in names for text in (name, *_full_names(row, name))]
        return any(pattern.match(text) for pattern in compiled for text in candidates)

    return accepts


def _full_names(row: ImageRow, name: str) -> list[str]:
    tagged = [f"{name}:{row.tag}"] if row.tag else []
    return [*tagged, f"{name}@{row.digest}"] if row.digest else tagged


def _dangling(_: Session, values: list[str]) -> Accepts:
    wanted = {_boolean(value) for value in values}
    if len(wanted) > 1:
        raise InvalidFilterError("invalid filter `dangling`: expected either true or false")
    (is_wanted,) = wanted
    # As in docker, an image with a name by digest matches both values.
    return lambda row: not row.tag if is_wanted else bool(row.repository)


def _boolean(value: str) -> bool:
    parsed = parse_bool(value)
    if parsed is None:
        raise InvalidFilterError(f"invalid filter `dangling={value}`: expected true or false")
    return parsed


def _labels(session: Session, values: list[str]) -> Accepts:
    return lambda row: all(_has_label(session, row, value) for value in values)


def _without_labels(session: Session, values: list[str]) -> Accepts:
    return lambda row: not any(_has_label(session, row, value) for value in values)


def _has_label(session: Session, row: ImageRow, wanted: str) -> bool:
    from ghcrctl.operations.common.image_contents import has_label, image_of

    blobs, platform = session.store.blobs, session.settings.preferred_platform
    return has_label(image_of(blobs, row.record.descriptor, platform, any_config=True), wanted)


def _before(session: Session, values: list[str]) -> Accepts:
    limit = min(_created(session, value) for value in values)
    return lambda row: (row.created or BEGINNING) < limit


def _since(session: Session, values: list[str]) -> Accepts:
    limit = max(_created(session, value) for value in values)
    return lambda row: (row.created or BEGINNING) > limit


def _created(session: Session, text: str) -> datetime:
    return parse_time(find(session, text).record.facts.created) or BEGINNING


def _until(_: Session, values: list[str]) -> Accepts:
    now = datetime.now(timezone.utc)
    limit = min(parse_point_in_time(value, now, f"until={value}") for value in values)
    return lambda row: (row.created or BEGINNING) < limit


_FILTERS: dict[str, Callable[[Session, list[str]], Accepts]] = {
    "before": _before,
    "dangling": _dangling,
    "label": _labels,
    "label!": _without_labels,
    "reference": matches_reference,
    "since": _since,
    "until": _until,
}
