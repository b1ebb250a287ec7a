"""Sync: make the tags of a repository be those of another one.

What belongs here: which tags are copied, are the same, or go; and what may be deleted without
harm. What does not: copying one image (`copy`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    GhcrctlError,
    NotFoundError,
    RefusedError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.oci.config import parse_time
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.oci.tag_pattern import chosen_by
from ghcrctl.operations.contents import image_of
from ghcrctl.operations.selection import Selection, choose
from ghcrctl.operations.session import local_name_error
from ghcrctl.operations.tags import is_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session
    from ghcrctl.registry.repository import Repository


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


@dataclass(frozen=True, slots=True)
class Task:
    """A tag, and what is to be done about it.

    Args:
        job: where it belongs.
        tag: the tag.
        what: what is to be done.
    """

    job: Job
    tag: str
    what: What

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
                f"`{reference}` is one image, not a repository",
                hint=f"ghcrctl sync --include TAG ..., or: ghcrctl copy {reference} TARGET",
            )
    if job.source.name == job.target.name:
        raise UsageError(f"{job.source.name} cannot be synced with itself")
    chosen_by(job.include, job.exclude)


def plan_job(session: Session, job: Job) -> list[Task]:
    """Find out what is to be done; a tag that both sides have costs one question each.

    Raises:
        NotFoundError: there is no such source.
        RefusedError: nothing is at the source, and everything would be deleted.
    """
    check_job(job)
    accepts = chosen_by(job.include, job.exclude)
    source, target = session.repository(job.source), session.repository(job.target)
    listed = sorted(tag for tag in source.tags() if not is_helper(tag))
    there = _tags(target)
    wanted = [tag for tag in listed if accepts(tag)]
    at_source, known = set(listed), set(there)
    gone = [tag for tag in there if accepts(tag) and tag not in at_source] if job.delete else []
    if gone and not listed:
        raise RefusedError(
            f"{job.source.name} has no tags, so that all of {job.target.name} would be deleted",
            hint="delete them by themselves if that is what you want",
        )
    with ThreadPoolExecutor(session.jobs, "tags") as pool:
        found = pool.map(lambda tag: _what(session, job, tag, is_there=tag in known), wanted)
        tasks = [Task(job, tag, what) for tag, what in zip(wanted, list(found), strict=True)]
    return tasks + [Task(job, tag, What.DELETE) for tag in gone]


def _tags(repository: Repository) -> list[str]:
    """List the tags of a repository that may not be there yet."""
    try:
        return sorted(tag for tag in repository.tags() if not is_helper(tag))
    except NotFoundError:
        return []


def _what(session: Session, job: Job, tag: str, *, is_there: bool) -> What:
    source, target = session.repository(job.source), session.repository(job.target)
    if is_there and target.digest_of(tag) == _wanted_digest(session, job, source, tag):
        return What.SAME
    if job.newer_than and not _is_newer(session, source, tag, job.newer_than):
        return What.TOO_OLD
    return What.COPY


def _wanted_digest(session: Session, job: Job, source: Repository, tag: str) -> Digest:
    if not job.platforms:
        return source.digest_of(tag)
    made = MemoryPlace()
    place = Overlay(made, source)
    root = source.resolve(tag)
    return choose(place, root, job.select, session.settings.platform, made).digest


def _is_newer(session: Session, source: Repository, tag: str, moment: datetime) -> bool:
    """Tell when an image was made; one that does not say is taken for new."""
    contents = image_of(source, source.resolve(tag), session.settings.platform)
    shown = contents.manifest or contents.root
    noted = shown.annotations.get("org.opencontainers.image.created", "")
    created = parse_time(contents.config.created if contents.config else noted)
    return created is None or created > moment


def delete_tag(session: Session, task: Task) -> None:
    """Delete a tag at the target, and harm no other.

    Where the registry deletes by digest only, the manifest goes if no other tag stands for it or
    for an index that lists it.

    Raises:
        RefusedError: another tag needs the manifest.
        UnsupportedError: the registry deletes nothing.
    """
    target = session.repository(task.job.target)
    try:
        target.delete(task.tag)
    except UnsupportedError:
        digest = target.digest_of(task.tag)
        others = [tag for tag in target.tags() if tag != task.tag]
        needed = _needed_by(session, target, others)
        if digest in needed:
            raise RefusedError(
                f"{task.target} cannot be deleted: the registry deletes by digest only, and "
                f"`{needed[digest]}` needs {digest}",
                hint=f"delete both, or let `{task.tag}` be",
            ) from None
        target.delete(str(digest))


def _needed_by(session: Session, repository: Repository, tags: Sequence[str]) -> dict[Digest, str]:
    """Return which manifests some tags need, each with one of the tags."""
    with ThreadPoolExecutor(session.jobs, "tags") as pool:
        found = pool.map(lambda tag: _manifests_of(repository, tag), tags)
        return {digest: tag for tag, digests in zip(tags, found, strict=True) for digest in digests}


def _manifests_of(repository: Repository, tag: str) -> set[Digest]:
    try:
        queue = [repository.resolve(tag)]
    except NotFoundError:
        # It was deleted meanwhile.
        return set()
    found: set[Digest] = set()
    while queue:
        here = queue.pop()
        if here.digest in found:
            continue
        found.add(here.digest)
        if here.is_index:
            parsed = parse(read_metadata(repository, here), here.media_type)
            queue += parsed.manifests if isinstance(parsed, Index) else ()
    return found


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
    session: Session, jobs: Iterable[Job], failed: Callable[[Job, GhcrctlError], None]
) -> list[Task]:
    """Plan several jobs; one that cannot be planned does not stop the others.

    Args:
        session: the run.
        jobs: each in turn.
        failed: is told; may raise to stop.
    """
    tasks: list[Task] = []
    for job in jobs:
        try:
            tasks += plan_job(session, job)
        except GhcrctlError as error:
            failed(job, error)
    return tasks
