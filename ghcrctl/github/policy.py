"""Retention: which versions of a package may go.

What belongs here: the rules as a value, and what they say of tags and dates. What does not: what
versions need (``graph``), what follows (``planner``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ghcrctl.oci.expression import finding
from ghcrctl.oci.tag_pattern import chosen_by, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.github.records import Version

AGES = ("created", "updated")
WHEN_EMPTY = ("keep", "delete-package", "fail")
# Distributed builds push platforms hours before the index that lists them.
MIN_AGE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What may go. Without any rule: what has no tag and what lost its subject.

    Args:
        include: patterns of tags; images all of whose tags fit may go. As in `parse_pattern`.
        gone: matches tags that may be deleted for another reason, such as a deleted branch.
        living: matches tags that `gone` never chooses: they may be of an existing branch or an
            open pull request.
        exclude: patterns of tags; an image with one that fits stays, whatever else is said.
        untagged: whether images without a tag may go.
        orphaned: whether signatures and the like of what is not there any more may go.
        orphaned_unseen: whether to delete those too whose subject no package of the run is known to
            have held.
        ghosts: whether tagged indexes may go that lost all of their images.
        partial: whether tagged indexes may go that lost some of them.
        keep_last: how many images stay of those that ``include`` fits, the newest; all tagged ones
            count without ``include``. An index and its tagged platforms are one image.
        keep_untagged: how many images without a tag stay, the newest.
        group_by: an expression that fits a part of a tag; ``keep_last`` holds for each group of
            images for which it finds the same. Images for which it finds nothing stay.
        floor: the minimum number of tagged images to keep, the newest, whatever other rules say;
            1 if ``None``. A floor of 1 or more that was given comes before ``when_empty``.
        older_than: only what is older may go.
        newer_than: only what is newer may go.
        by: which date counts: ``created``, when these bytes were first pushed, or ``updated``.
        min_age: what is younger, or changed since, stays: somebody may still be pushing it.
        protected: digests that stay, with all that they need.
        when_empty: what to do where nothing tagged would be left: ``keep`` the newest,
            ``delete-package``, or ``fail``.
    """

    include: tuple[str, ...] = ()
    gone: tuple[Callable[[str], bool], ...] = ()
    living: tuple[Callable[[str], bool], ...] = ()
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
        """Find out whether every pattern can be read.

        Raises:
            InvalidFilterError: one cannot.
        """
        for text in (*self.include, *self.exclude):
            parse_pattern(text)
        if self.group_by is not None:
            finding(self.group_by)

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
            return chosen_by(self.include, ())
        return lambda _: False

    @cached_property
    def _protects(self) -> Callable[[str], bool]:
        patterns = [parse_pattern(text) for text in self.exclude]
        return lambda tag: any(fits(tag) for fits in patterns)

    @cached_property
    def _group(self) -> Callable[[str], str | None]:
        return finding(self.group_by) if self.group_by is not None else lambda _: ""

    def included(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that ``include`` fits, of which ``keep_last`` keeps images."""
        return [tag for tag in tags if self._includes(tag)]

    def left_over(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that may be deleted because `gone` matches them."""
        gone = [tag for tag in tags if any(fits(tag) for fits in self.gone)]
        return [tag for tag in gone if not any(fits(tag) for fits in self.living)]

    def protecting(self, tags: Iterable[str]) -> list[str]:
        """Return the tags that must stay."""
        return [tag for tag in tags if self._protects(tag)]

    def groups(self, tags: Iterable[str]) -> set[str]:
        """Return the groups that an image with these tags belongs to."""
        return {found for tag in tags if (found := self._group(tag)) is not None}

    def age_of(self, version: Version) -> datetime:
        """Return the date that counts."""
        return version.updated if self.by == "updated" else version.created

    def has_age(self, version: Version) -> bool:
        """Tell whether a version is as old as it must be to go."""
        moment = self.age_of(version)
        if self.older_than and moment >= self.older_than:
            return False
        return not (self.newer_than and moment <= self.newer_than)
