"""Retention policies: rules for the tags and dates of versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ghcrctl.oci.regular_expression import searcher
from ghcrctl.oci.tag_pattern import parse_pattern, tag_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.github.records import Version

AGES = ("created", "updated")
WHEN_EMPTY = ("keep", "delete-package", "fail")
# Distributed builds push platforms hours before the index that lists them.
MIN_AGE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A retention policy. By default, untagged versions and orphaned artifacts are deleted.

    Args:
        include: tag patterns, see `parse_pattern`; images are deleted if all of their tags match.
        stale_tags: match tags that may be deleted for another reason, such as a deleted branch.
        live_tags: match tags that `stale_tags` never selects, since they may belong to an existing
            branch or an open pull request.
        exclude: tag patterns; images with a matching tag are kept, regardless of other rules.
        untagged: whether to delete untagged images.
        orphaned: whether to delete artifacts, such as signatures, whose subject is missing.
        orphaned_unseen: whether to also delete artifacts whose subject no package of the run is
            known to have held.
        ghosts: whether to delete tagged indexes that have lost all of their images.
        partial: whether to delete tagged indexes that have lost some of their images.
        keep_last: how many images that ``include`` matches to keep, newest first; without
            ``include``, all tagged images count. An index and its tagged platforms are one image.
        keep_untagged: how many untagged images to keep, newest first.
        group_by: a regular expression for part of a tag; ``keep_last`` applies to each group of
            images with the same match. Images without a match are kept.
        floor: the minimum number of tagged images to keep, newest first, regardless of other rules;
            1 if ``None``. An explicit floor of 1 or more takes precedence over ``when_empty``.
        older_than: only delete versions older than this.
        newer_than: only delete versions newer than this.
        by: the date to compare: ``created``, the first push of these bytes, or ``updated``.
        min_age: keep versions that were created or changed more recently; a push may be in
            progress.
        protected: digests to keep, with everything they need.
        when_empty: what to do if no tagged version would be left: ``keep`` the newest,
            ``delete-package``, or ``fail``.
    """

    include: tuple[str, ...] = ()
    stale_tags: tuple[Callable[[str], bool], ...] = ()
    live_tags: tuple[Callable[[str], bool], ...] = ()
    exclude: tuple[str, ...] = ()
    untagged: bool = True
    orphaned: bool = True
    orphaned_unseen: bool = False
    ghosts: bool = False
    partial: bool = False
    keep_last: int | None = None
    keep_untagged: int | None = None
    group_by: str | None = None
    floor: int | None = None
    older_than: datetime | None = None
    newer_than: datetime | None = None
    by: str = "created"
    min_age: timedelta = MIN_AGE
    protected: frozenset[str] = field(default_factory=frozenset)
    when_empty: str = "keep"

    def check(self) -> None:
        """Check that all patterns are valid.

        Raises:
            InvalidFilterError: a pattern is invalid.
        """
        for text in (*self.include, *self.exclude):
            parse_pattern(text)
        if self.group_by is not None:
            searcher(self.group_by)

    @property
    def least(self) -> int:
        """The minimum number of tagged images to keep."""
        return 1 if self.floor is None else self.floor

    @property
    def if_empty(self) -> str:
        """What to do if no tagged image would be left, one of `WHEN_EMPTY`."""
        return "keep" if self.floor else self.when_empty

    @cached_property
    def _includes(self) -> Callable[[str], bool]:
        if self.include or self.keep_last is not None:
            return tag_filter(self.include, ())
        return lambda _: False

    @cached_property
    def _protects(self) -> Callable[[str], bool]:
        patterns = [parse_pattern(text) for text in self.exclude]
        return lambda tag: any(fits(tag) for fits in patterns)

    @cached_property
    def _group(self) -> Callable[[str], str | None]:
        return searcher(self.group_by) if self.group_by is not None else lambda _: ""

    def included(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that ``include`` matches, to which ``keep_last`` applies."""
        return [tag for tag in tags if self._includes(tag)]

    def stale(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that may be deleted because `stale_tags` matches them."""
        found = [tag for tag in tags if any(fits(tag) for fits in self.stale_tags)]
        return [tag for tag in found if not any(fits(tag) for fits in self.live_tags)]

    def protecting(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that must be kept."""
        return [tag for tag in tags if self._protects(tag)]

    def groups(self, tags: Iterable[str]) -> set[str]:
        """Return the groups that an image with these tags belongs to."""
        return {found for tag in tags if (found := self._group(tag)) is not None}

    def age_of(self, version: Version) -> datetime:
        """Return the date that the policy compares."""
        return version.updated if self.by == "updated" else version.created

    def has_age(self, version: Version) -> bool:
        """Check whether the age of a version allows deleting it."""
        date = self.age_of(version)
        if self.older_than and date >= self.older_than:
            return False
        return not (self.newer_than and date <= self.newer_than)
