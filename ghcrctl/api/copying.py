"""Calls that copy images from any place to any other: copy, sync.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.api.arguments import (
    Caller,
    moment_of,
    path_of,
    platforms_of,
    reference_of,
    text_of,
    texts_of,
    texts_of_names,
)
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ghcrctl.api.arguments import Name, Names, PathLike, Platforms, Texts
    from ghcrctl.operations.common.batch import Attempt
    from ghcrctl.operations.common.registry_access import Access
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.copy import Copied, CopyOptions
    from ghcrctl.operations.moving.endpoints.base import Endpoint
    from ghcrctl.operations.sync.plan import Job, Report
    from ghcrctl.operations.sync.run import FailedJob, SyncedTag
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.workers import Workers

    Sides = tuple[Access | None, Access | None]


class Copies(Caller):
    """Calls that copy and sync."""

    def copy(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name,
        *,
        platform: Platforms = None,
        all_platforms: bool = False,
        referrers: bool = False,
        include_foreign: bool = False,
        form: str | None = None,
        compress: str | None = None,
        level: int | None = None,
        force: bool = False,
        accesses: tuple[Access | None, Access | None] = (None, None),
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> Copied:
        """Copy an image between registries, archives, layouts and stores, keeping its digest.

        Args:
            source: a name at a registry, or ``oci:DIR[:TAG]``, ``archive:FILE``,
                ``docker-daemon:NAME``, ``store:NAME``.
            target: the same; without a tag it gets the source's.
            platform: which to copy; several make a smaller index; all by default.
            all_platforms: all of them, also where the target takes one.
            referrers: copy signatures, attestations and whatever else refers to the image too.
            include_foreign: copy foreign layers too.
            form: ``oci`` or ``docker``: whose media types the copy has; its digest changes.
            compress: ``gzip``, ``zstd`` or ``none``: how its layers are packed.
            level: how hard.
            force: replace a registry's tag even if it loses platforms by it.
            accesses: what the side of the source and that of the target use for their registry.
            dry_run: tell the observer the plan, and move nothing.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: the ends do not fit together.
            RefusedError: the target names a digest that the image has not, or the target's tag
                would lose platforms.
        """
        [attempt] = self.copy_several(
            [source],
            target,
            platform=platform,
            all_platforms=all_platforms,
            referrers=referrers,
            include_foreign=include_foreign,
            form=form,
            compress=compress,
            level=level,
            force=force,
            accesses=accesses,
            dry_run=dry_run,
            observer=observer,
        )
        return attempt.get()

    def copy_several(  # noqa: PLR0913 one argument an option
        self,
        sources: Names,
        target: Name,
        *,
        platform: Platforms = None,
        all_platforms: bool = False,
        referrers: bool = False,
        include_foreign: bool = False,
        form: str | None = None,
        compress: str | None = None,
        level: int | None = None,
        force: bool = False,
        accesses: tuple[Access | None, Access | None] = (None, None),
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> list[Attempt[str, Copied]]:
        """Copy several images to one repository, namespace, archive or directory.

        Arguments are those of `copy`; the target is a name without a tag, a namespace that ends in
        ``/``, or a place where each image keeps its name. What is written in order, as an archive,
        is there when all images are, or not at all: then the first failure is raised.
        """
        from ghcrctl.operations.common.platform_selection import Selection
        from ghcrctl.operations.making.convert import read_conversion
        from ghcrctl.operations.moving.copy import CopyOptions

        chosen = platforms_of(platform)
        select = Selection.of(chosen, everything=all_platforms)
        wish = CopyOptions(
            select if chosen or all_platforms else None,
            include_foreign,
            referrers,
            dry_run,
            read_conversion(form, compress, level),
            force=force,
        )
        texts = list(dict.fromkeys(texts_of_names(sources)))
        with self._session() as session:
            return _copy(session, texts, text_of(target), wish, accesses, observer)

    def sync(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name,
        *,
        include: Texts = (),
        exclude: Texts = (),
        newer_than: datetime | str | None = None,
        delete: bool = False,
        platform: Platforms = None,
        referrers: bool = False,
        force: bool = False,
        dry_run: bool = False,
        keep_going: bool = False,
        tell: Callable[[SyncedTag | FailedJob], None] = lambda _: None,
        observer: Observer = ignore,
    ) -> Report:
        """Mirror the tags of one repository to another.

        Args:
            source: a repository.
            target: another one.
            include: tags to sync: globs, ``re:REGEX`` or ``semver:RANGE``; all without any.
            exclude: tags to leave alone, on both sides.
            newer_than: only images that were made since then; an aware moment, or a text as
                ``30d``.
            delete: delete tags of the target that the source has not.
            platform: which to copy of multi-platform images; all by default.
            referrers: copy signatures and attestations too.
            force: replace tags of the target even if they lose platforms by it.
            dry_run: only determine what would be done.
            keep_going: go on after failures; they are in the report then, and not raised.
            tell: is told of each tag.
            observer: watches what moves.

        Raises:
            UsageError: a name is that of one image, or a rule is malformed.
            GhcrctlError: the first failure, unless `keep_going`.
        """
        from ghcrctl.operations.sync.plan import Job, check_job

        with self._session() as session:
            job = Job(
                reference_of(session, source),
                reference_of(session, target),
                texts_of(include),
                texts_of(exclude),
                moment_of(newer_than, "newer_than"),
                delete,
                platforms_of(platform),
                referrers,
            )
            check_job(job)
            return _sync(
                session, [job], tell, observer, force=force, dry_run=dry_run, keep_going=keep_going
            )

    def sync_file(
        self,
        file: PathLike,
        *,
        force: bool = False,
        dry_run: bool = False,
        keep_going: bool = False,
        tell: Callable[[SyncedTag | FailedJob], None] = lambda _: None,
        observer: Observer = ignore,
    ) -> Report:
        """Sync all repositories that a file names.

        Args:
            file: YAML or TOML, as ``ghcrctl sync --file`` reads it.
            force: as in `sync`.
            dry_run: as in `sync`.
            keep_going: as in `sync`.
            tell: as in `sync`.
            observer: as in `sync`.

        Raises:
            NotFoundError: there is no such file.
            UsageError: it is malformed.
            GhcrctlError: the first failure, unless `keep_going`.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.sync.config_file import read_jobs

        with self._session() as session:
            jobs = read_jobs(path_of(file), session.parse, datetime.now(timezone.utc))
            return _sync(
                session, jobs, tell, observer, force=force, dry_run=dry_run, keep_going=keep_going
            )


def _copy(
    session: Session,
    sources: Sequence[str],
    target: str,
    wish: CopyOptions,
    accesses: Sides,
    observer: Observer,
) -> list[Attempt[str, Copied]]:
    from ghcrctl.operations.common.batch import Attempt, attempt_all
    from ghcrctl.operations.moving.copy_many import open_copy
    from ghcrctl.operations.moving.endpoints.parse import parse_endpoint

    ends = [parse_endpoint(session, text) for text in sources]
    into = parse_endpoint(session, target)
    found: list[Attempt[Endpoint, Copied]] = []
    with open_copy(session, ends, into, wish, accesses=accesses) as opened:

        def act(end: Endpoint, workers: Workers) -> Copied:
            return opened.copy(end, observer, workers=workers)

        for group in opened.groups:
            for attempt in attempt_all(session, act, group):
                if into.is_sequential:
                    attempt.get()
                found.append(attempt)
    return [Attempt(text, a.result, a.error) for text, a in zip(sources, found, strict=True)]


def _sync(  # noqa: PLR0913 as `sync`
    session: Session,
    jobs: Sequence[Job],
    tell: Callable[[SyncedTag | FailedJob], None],
    observer: Observer,
    *,
    force: bool,
    dry_run: bool,
    keep_going: bool,
) -> Report:
    from ghcrctl.operations.sync.run import run_jobs

    def both(inner: Observer, _: str) -> Observer:
        def watch(event: Event) -> None:
            inner(event)
            observer(event)

        return watch

    @contextmanager
    def watching() -> Iterator[Callable[[Observer, str], Observer]]:
        yield both

    report = run_jobs(
        session,
        jobs,
        keep_going=keep_going,
        dry_run=dry_run,
        force=force,
        tell=tell,
        watching=watching,
    )
    if report.first and not keep_going:
        raise report.first
    return report
