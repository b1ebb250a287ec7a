"""Sync: make the tags of a repository be those of another one.

What belongs here: which tags are copied, are the same, or go. What does not: copying one image
(`copy`), deleting without harm (`sync_deletions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.threads import threads
from ghcrctl.errors import (
    GhcrctlError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from ghcrctl.oci.config import parse_time
from ghcrctl.oci.tag_pattern import chosen_by, parse_pattern
from ghcrctl.operations.common.image_contents import image_of
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.operations.common.rule_matches import RuleMatches
from ghcrctl.operations.common.session import local_name_error
from ghcrctl.operations.registries.tags import is_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource


@dataclass(frozen=True, slots=True)
class Job:
    """One repository to be synced.

    Args:
        source: a repository.
        target: another one.
        include: patterns of tags; all without any.
        exclude: patterns of tags that are left alone, on both sides.
        newer_than: only images that were made after this moment; aware.
        delete: delete tags of the target that the source has not.
        platforms: only these of multi-platform images; all without any.
        referrers: copy what refers to the images too.
    """

    source: Reference
    target: Reference
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    newer_than: datetime | None = None
    delete: bool = False
    platforms: tuple[Platform, ...] = ()
    referrers: bool = False

    @property
    def select(self) -> Selection:
        """What of each image is wanted."""
        return Selection(self.platforms, everything=not self.platforms)


class What(Enum):
    """What is to be done about a tag."""

    COPY = "copy"
    SAME = "up to date"
    TOO_OLD = "too old"
    DELETE = "delete"
    BROKEN = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """A tag, and what is to be done about it.

    Args:
        job: where it belongs.
        tag: the tag.
        what: what is to be done.
        error: why nobody can tell, where it is broken.
    """

    job: Job
    tag: str
    what: What
    error: GhcrctlError | None = None

    @property
    def source(self) -> Reference:
        """The image to copy."""
        return self.job.source.with_tag(self.tag)

    @property
    def target(self) -> Reference:
        """What it is called there."""
        return self.job.target.with_tag(self.tag)


def check_job(job: Job) -> None:
    """Check that a job can be done at all.

    Raises:
        RefusedError: a name is local.
        UsageError: a name is that of an image, or both are the same.
    """
    for reference in (job.source, job.target):
        if reference.is_local:
            raise local_name_error(reference)
        if reference.tag or reference.digest:
            raise UsageError(
                f"`{reference}` is an image, not a repository",
                hint=f"ghcrctl sync --include TAG ..., or: ghcrctl copy {reference} TARGET",
            )
    if job.source.name == job.target.name:
        raise _self_error(job)
    chosen_by(job.include, job.exclude)


def _self_error(job: Job) -> UsageError:
    other = "itself" if job.source.name == job.target.name else f"{job.target.name}, the same place"
    return UsageError(f"{job.source.name} cannot be synced with {other}")


def plan_job(
    session: Session,
    job: Job,
    *,
    keep_going: bool = False,
    excluded: RuleMatches | None = None,
) -> list[Task]:
    """Find out what is to be done; a tag that both sides have costs one question each.

    Args:
        session: the run.
        job: what is wanted.
        keep_going: whether a tag that cannot be looked at becomes a task that tells of it.
        excluded: records which of the job's `exclude` patterns match a tag on either side.

    Raises:
        NotFoundError: there is no such source.
        RefusedError: nothing is at the source, and everything would be deleted.
        UsageError: source and target are one repository.
    """
    check_job(job)
    if session.resolver.place_of(job.source) == session.resolver.place_of(job.target):
        raise _self_error(job)
    accepts = chosen_by(job.include, job.exclude)
    target = session.repository(job.target)
    # Before tags are deleted, a list that a mirror may not have in full is not good enough.
    lister = session.repository(job.source) if job.delete else session.source(job.source)
    listed = sorted(tag for tag in lister.tags() if not is_helper(tag))
    there = _tags(target)
    wanted = [tag for tag in listed if accepts(tag)]
    at_source, known = set(listed), set(there)
    if excluded is not None:
        for pattern in job.exclude:
            excluded.record(pattern, partial(_matches, parse_pattern(pattern), at_source | known))
    gone = [tag for tag in there if accepts(tag) and tag not in at_source] if job.delete else []
    if gone and not listed:
        raise RefusedError(
            f"{job.source.name} has no tags, so that all of {job.target.name} would be deleted",
            hint="delete them by themselves if that is what you want",
        )

    def look(tag: str) -> Task:
        try:
            return Task(job, tag, _what(session, job, tag, is_there=tag in known))
        except GhcrctlError as error:
            if not keep_going:
                raise
            return Task(job, tag, What.BROKEN, error)

    with threads(session.jobs, "tags") as pool:
        tasks = list(pool.map(look, wanted))
    return tasks + [Task(job, tag, What.DELETE) for tag in gone]


def _matches(fits: Callable[[str], bool], tags: Iterable[str]) -> bool:
    return any(map(fits, tags))


def _tags(repository: Repository) -> list[str]:
    """List the tags of a repository that may not be there yet."""
    try:
        return sorted(tag for tag in repository.tags() if not is_helper(tag))
    except NotFoundError:
        return []


def _what(session: Session, job: Job, tag: str, *, is_there: bool) -> What:
    source, target = session.source(job.source.with_tag(tag)), session.repository(job.target)
    if is_there and _digest_there(target, tag) == _wanted_digest(session, job, source, tag):
        return What.SAME
    if job.newer_than and not _is_newer(session, source, tag, job.newer_than):
        return What.TOO_OLD
    return What.COPY


def _digest_there(target: Repository, tag: str) -> Digest | None:
    """Return what a tag stands for; registries list some whose manifest is gone."""
    try:
        return target.digest_of(tag)
    except NotFoundError:
        return None


def _wanted_digest(session: Session, job: Job, source: RepositorySource, tag: str) -> Digest:
    if not job.platforms:
        return source.digest_of(tag)
    made = MemoryPlace()
    place = Overlay(made, source)
    root = source.resolve(tag)
    return choose(
        place, root, job.select, session.settings.preferred_platform, made, warn=session.warn
    ).digest


def _is_newer(session: Session, source: RepositorySource, tag: str, moment: datetime) -> bool:
    """Tell when an image was made; one that does not say is taken for new."""
    root, platform = source.resolve(tag), session.settings.preferred_platform
    contents = image_of(source, root, platform, any_config=True)
    shown = contents.manifest or contents.root
    noted = shown.annotations.get("org.opencontainers.image.created", "")
    created = parse_time(contents.config.created if contents.config else noted)
    return created is None or created > moment


@dataclass(slots=True)
class Report:
    """What a sync did so far. ``moved``: bytes."""

    copied: int = 0
    same: int = 0
    too_old: int = 0
    deleted: int = 0
    failed: int = 0
    moved: int = 0
    first: GhcrctlError | None = None

    def fail(self, error: GhcrctlError) -> None:
        """Count a failure, and remember the first."""
        self.failed += 1
        self.first = self.first or error


def plan_jobs(
    session: Session,
    jobs: Iterable[Job],
    failed: Callable[[Job, GhcrctlError], None],
    *,
    keep_going: bool = False,
) -> list[Task]:
    """Plan several jobs; one that cannot be planned does not stop the others.

    Where several have the same target, none deletes what another one copies. Warns of each
    `exclude` pattern that matches no tag of any repository that it is for.

    Args:
        session: the run.
        jobs: each in turn.
        failed: is told; may raise to stop.
        keep_going: whether a tag that cannot be looked at does not stop its job either.
    """
    tasks: list[Task] = []
    excluded = RuleMatches()
    for job in jobs:
        try:
            tasks += plan_job(session, job, keep_going=keep_going, excluded=excluded)
        except GhcrctlError as error:
            excluded.skip(job.exclude)
            failed(job, error)
    for pattern in excluded.unmatched:
        session.warn(f"exclude `{pattern}` matches no tag, so it excludes nothing")

    def place(task: Task) -> tuple[str, str]:
        return session.resolver.place_of(task.job.target), task.tag

    wanted = {place(task) for task in tasks if task.what is not What.DELETE}
    # A tag that two jobs delete goes once.
    gone = {place(task): task for task in tasks if task.what is What.DELETE}
    kept = [task for task in tasks if task.what is not What.DELETE]
    return kept + [task for where, task in gone.items() if where not in wanted]
