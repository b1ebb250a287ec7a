"""Remove unneeded images from the local store by rules, and content that no image needs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError, UsageError
from ghcrctl.oci.config import parse_time
from ghcrctl.operations.common.image_contents import has_label, image_of
from ghcrctl.operations.common.times import parse_point_in_time
from ghcrctl.store.attached_referrers import (
    AttachedReferrers,
    dependent_records,
    is_bound,
    is_bound_referrer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]+)?)\s*([kmgtp]?)(i?)b?\Z", re.IGNORECASE)
_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class PruneRules:
    """Rules for images to remove; by default, those without a tag.

    Args:
        everything: images with a tag too.
        until: only images created before this time.
        labels: only images with all of these labels, as ``key`` or ``key=value``.
        without_labels: only images with none of these labels.
        keep_last: keep this number of newest tagged images of each repository, remove the others.
        max_size: remove the oldest images until the store is at most this large (bytes).
    """

    everything: bool = False
    until: datetime | None = None
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()
    keep_last: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """The result of a prune, or of a dry run.

    Args:
        untagged: removed names, oldest first.
        deleted: deleted content.
        freed: freed space, including unfinished files (bytes).
        partial: the number of deleted unfinished files.
    """

    untagged: tuple[str, ...]
    deleted: tuple[Digest, ...]
    freed: int
    partial: int


def read_filters(filters: Sequence[str], now: datetime) -> PruneRules:
    """Parse docker's filters: ``until=24h``, ``until=2026-01-31``, ``label=x``, ``label!=x``.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
    """
    until: datetime | None = None
    labels: list[str] = []
    without: list[str] = []
    for item in filters:
        key, equals, value = item.partition("=")
        if key == "until" and value:
            until = parse_point_in_time(value, now, f"until={value}")
        elif key in {"label", "label!"} and value:
            (labels if key == "label" else without).append(value)
        else:
            raise InvalidFilterError(
                f"invalid filter `{item}`{'' if equals else ': it has no value'}",
                hint="use until=24h, until=2026-01-31, label=KEY[=VALUE] or label!=KEY[=VALUE]",
            )
    return PruneRules(until=until, labels=tuple(labels), without_labels=tuple(without))


def read_size(text: str) -> int:
    """Parse a size such as ``500MB``, ``1.5GiB`` or a number of bytes.

    Raises:
        UsageError: the text is not a size.
    """
    match = _SIZE.match(text.strip())
    if not match:
        raise UsageError(f"invalid size `{text}`: expected a size such as 500MB, 10GB or 2GiB")
    power = " kmgtp".index(match[2].lower() or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def prune(session: Session, rules: PruneRules, *, dry_run: bool = False) -> Pruned:
    """Remove images by rules, then all content and unfinished files that nothing needs.

    Args:
        session: the run.
        rules: the rules.
        dry_run: only return what would be removed.
    """
    store = session.store
    records = store.records()
    to_remove = _choose(session, records, rules)
    names = tuple(record.name or str(record.facts.image_id) for record in to_remove)
    before = store.leftover_sizes()
    if dry_run:
        kept = [record.descriptor for record in _without(records, to_remove)]
        needed = store.graph.reached(kept, strict=True)
        deleted = {d: store.blobs.size(d) for d in store.blobs.all() if d not in needed}
        after: list[int] = []
    else:
        # Sweep first: on a full disk, that makes room for writing the shorter list.
        store.sweep(0.0)
        store.edit(lambda found: _without(found, to_remove))
        deleted = store.collect()
        after = store.leftover_sizes()
    freed = sum(deleted.values()) + max(0, sum(before) - sum(after))
    return Pruned(names, tuple(deleted), freed, max(0, len(before) - len(after)))


def _choose(session: Session, records: list[Record], rules: PruneRules) -> list[Record]:
    """Return the chosen records, oldest first, then records that belong only to them."""
    by_age = sorted(records, key=_created)
    tagged = {r.facts.image_id for r in records if r.tag}

    def choose(free: list[Record], _: list[Record]) -> list[Record]:
        chosen = [r for r in free if rules.everything or r.facts.image_id not in tagged]
        if rules.keep_last is not None:
            chosen += _without(_older_than_newest(free, rules.keep_last), chosen)
        return [r for r in chosen if _matches_filters(session, r, rules)]

    chosen = _with_belongings(session, by_age, [], choose)
    if rules.max_size is not None:
        limit = rules.max_size
        chosen = _with_belongings(
            session,
            by_age,
            chosen,
            lambda free, left: _oldest_over_limit(session, free, left, limit),
        )
    return chosen


def _with_belongings(
    session: Session,
    by_age: list[Record],
    before: list[Record],
    choose: Callable[[list[Record], list[Record]], list[Record]],
) -> list[Record]:
    """Return the chosen independent records, and the records that belong only to them.

    Args:
        session: the run.
        by_age: all records, oldest first.
        before: the records chosen before.
        choose: chooses from the first list, oldest first; the second list has all that are left.
    """
    graph = session.store.graph
    chosen, seen = list(before), list(before)
    while True:
        left = _without(by_age, chosen)
        free = _without(left, [*dependent_records(graph, left), *seen])
        if not free:
            return chosen
        # Records that only belonged to a removed image are now independent.
        bound = [r for r in free if is_bound_referrer(graph, r)] if len(seen) > len(before) else []
        chosen += [*bound, *choose(_without(free, bound), _without(left, bound))]
        seen += free


def _key(record: Record) -> tuple[str, Digest]:
    """Return a key that identifies a record."""
    return record.name, record.descriptor.digest


def _without(records: Iterable[Record], others: Iterable[Record]) -> list[Record]:
    known = {_key(record) for record in others}
    return [record for record in records if _key(record) not in known]


def _older_than_newest(by_age: Iterable[Record], count: int) -> list[Record]:
    """Return tagged records beyond the newest ones of their repository."""
    by_repository: dict[str, list[Record]] = {}
    for record in by_age:
        if record.tag:
            by_repository.setdefault(record.repository, []).append(record)
    return [r for group in by_repository.values() for r in group[: max(0, len(group) - count)]]


def _oldest_over_limit(
    session: Session, free: list[Record], left: list[Record], limit: int
) -> list[Record]:
    """Return the oldest records whose removal makes the rest fit the limit.

    Args:
        session: the run.
        free: the records to choose from, oldest first.
        left: all records that take space.
        limit: the limit (bytes).
    """
    graph, blobs = session.store.graph, session.store.blobs
    belonging = AttachedReferrers(graph, left)
    # How many records need each piece of content; removing the last one frees it.
    users = Counter(p for record in left for p in graph.reached([record.descriptor]))
    sizes = {piece: blobs.size(piece) for piece in users}
    total = sum(sizes.values())
    removed: list[Record] = []
    for record in free:
        if total <= limit:
            break
        removed.append(record)
        for group in (record, *filter(is_bound, belonging.kept_by([record]))):
            pieces = graph.reached([group.descriptor])
            users.subtract(list(pieces))
            total -= sum(sizes[piece] for piece in pieces if not users[piece])
    return removed


def _matches_filters(session: Session, record: Record, rules: PruneRules) -> bool:
    if rules.until and _created(record) >= rules.until:
        return False
    if not (rules.labels or rules.without_labels):
        return True
    platform = session.settings.preferred_platform
    image = image_of(session.store.blobs, record.descriptor, platform, any_config=True)
    return all(has_label(image, wanted) for wanted in rules.labels) and not any(
        has_label(image, unwanted) for unwanted in rules.without_labels
    )


def _created(record: Record) -> datetime:
    return parse_time(record.facts.created) or _BEGINNING
