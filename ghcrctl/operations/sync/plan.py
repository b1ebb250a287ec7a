"""Plan a sync: which tags are copied, are up to date, or are deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import (
    GhcrctlError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from ghcrctl.oci.config import parse_time
from ghcrctl.oci.tag_pattern import parse_pattern, tag_filter
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
    """One repository to sync.

    Args:
        source: the source repository.
        target: the target repository.
        include: patterns of tags to sync; by default, all tags.
        exclude: patterns of tags to ignore in both repositories.
        newer_than: only images created after this time, which has a time zone.
        delete: delete tags of the target that the source does not have.
        platforms: the platforms of multi-platform images; by default, all.
        referrers: also copy the referrers of images.
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
        """The platforms to copy."""
        return Selection(self.platforms, everything=not self.platforms)


class TagAction(Enum):
    """The action for a tag."""

    COPY = "copy"
    SAME = "up to date"
    TOO_OLD = "too old"
    DELETE = "delete"
    BROKEN = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """A tag and its action.

    Args:
        job: the job that it belongs to.
        tag: the tag.
        what: the action.
        error: why the tag cannot be planned, if it cannot.
    """

    job: Job
    tag: str
    what: TagAction
    error: GhcrctlError | None = None

    @property
    def source(self) -> Reference:
        """The image to copy."""
        return self.job.source.with_tag(self.tag)

    @property
    def target(self) -> Reference:
        """The name of the copy."""
        return self.job.target.with_tag(self.tag)


def check_job(job: Job) -> None:
    """Check that a job is valid.

    Raises:
        RefusedError: a name is local.
        UsageError: a name has a tag or digest, or both names are the same.
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
        raise _same_repository_error(job)
    tag_filter(job.include, job.exclude)


def _same_repository_error(job: Job) -> UsageError:
    other = "itself" if job.source.name == job.target.name else f"{job.target.name}, the same place"
    return UsageError(f"cannot sync {job.source.name} with {other}")


def plan_job(
    session: Session,
    job: Job,
    *,
    keep_going: bool = False,
    excluded: RuleMatches | None = None,
) -> list[Task]:
    """Plan a job; each tag that both repositories have takes one request to each.

    Args:
        session: the run.
        job: the job.
        keep_going: whether a tag that cannot be read becomes a failed task.
        excluded: records which of the job's `exclude` patterns match a tag on either side.

    Raises:
        NotFoundError: the source does not exist.
        RefusedError: the source is empty, so everything at the target would be deleted.
        UsageError: source and target are the same repository.
    """
    check_job(job)
    if session.resolver.place_of(job.source) == session.resolver.place_of(job.target):
        raise _same_repository_error(job)
    accepts = tag_filter(job.include, job.exclude)
    target = session.repository(job.target)
    # Before deleting tags, list them at the registry: a mirror's list may be incomplete.
    lister = session.repository(job.source) if job.delete else session.source(job.source)
    listed = sorted(tag for tag in lister.tags() if not is_helper(tag))
    target_tags = _tags(target)
    wanted = [tag for tag in listed if accepts(tag)]
    at_source, known = set(listed), set(target_tags)
    if excluded is not None:
        for pattern in job.exclude:
            excluded.record(pattern, partial(_any_match, parse_pattern(pattern), at_source | known))
    removed = (
        [tag for tag in target_tags if accepts(tag) and tag not in at_source] if job.delete else []
    )
    if removed and not listed:
        raise RefusedError(
            f"{job.source.name} has no tags, so all tags of {job.target.name} would be deleted",
            hint="if that is intended, delete the tags separately",
        )

    def look(tag: str) -> Task:
        try:
            return Task(job, tag, _plan_tag(session, job, tag, is_there=tag in known))
        except GhcrctlError as error:
            if not keep_going:
                raise
            return Task(job, tag, TagAction.BROKEN, error)

    with thread_pool(session.jobs, "tags") as pool:
        tasks = list(pool.map(look, wanted))
    return tasks + [Task(job, tag, TagAction.DELETE) for tag in removed]


def _any_match(fits: Callable[[str], bool], tags: Iterable[str]) -> bool:
    return any(map(fits, tags))


def _tags(repository: Repository) -> list[str]:
    """List the tags of a repository that may not exist yet."""
    try:
        return sorted(tag for tag in repository.tags() if not is_helper(tag))
    except NotFoundError:
        return []


def _plan_tag(session: Session, job: Job, tag: str, *, is_there: bool) -> TagAction:
    source, target = session.source(job.source.with_tag(tag)), session.repository(job.target)
    if is_there and _digest_there(target, tag) == _wanted_digest(session, job, source, tag):
        return TagAction.SAME
    if job.newer_than and not _is_newer(session, source, tag, job.newer_than):
        return TagAction.TOO_OLD
    return TagAction.COPY


def _digest_there(target: Repository, tag: str) -> Digest | None:
    """Return the digest of a tag; registries may list tags whose manifest was deleted."""
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
    """Return whether an image is newer than a time; an image without a time counts as new."""
    root, platform = source.resolve(tag), session.settings.preferred_platform
    contents = image_of(source, root, platform, any_config=True)
    shown = contents.manifest or contents.root
    noted = shown.annotations.get("org.opencontainers.image.created", "")
    created = parse_time(contents.config.created if contents.config else noted)
    return created is None or created > moment


@dataclass(slots=True)
class Report:
    """The counts of a sync so far. ``moved``: transferred bytes."""

    copied: int = 0
    same: int = 0
    too_old: int = 0
    deleted: int = 0
    failed: int = 0
    moved: int = 0
    first: GhcrctlError | None = None

    def fail(self, error: GhcrctlError) -> None:
        """Count a failure, and keep the first."""
        self.failed += 1
        self.first = self.first or error


def plan_jobs(
    session: Session,
    jobs: Iterable[Job],
    failed: Callable[[Job, GhcrctlError], None],
    *,
    keep_going: bool = False,
) -> list[Task]:
    """Plan multiple jobs; one that cannot be planned does not stop the others.

    If multiple jobs have the same target, no job deletes what another one copies. Warns of each
    `exclude` pattern that matches no tag of any of its repositories.

    Args:
        session: the run.
        jobs: the jobs.
        failed: called for each failed job; may raise to stop.
        keep_going: whether a tag that cannot be read does not stop its job either.
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
        session.warn(f"exclude `{pattern}` matches no tag")

    def place(task: Task) -> tuple[str, str]:
        return session.resolver.place_of(task.job.target), task.tag

    wanted = {place(task) for task in tasks if task.what is not TagAction.DELETE}
    # Two jobs may delete the same tag.
    removed = {place(task): task for task in tasks if task.what is TagAction.DELETE}
    kept = [task for task in tasks if task.what is not TagAction.DELETE]
    return kept + [task for where, task in removed.items() if where not in wanted]
