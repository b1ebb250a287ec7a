"""Calls that copy images between registries, archives and stores: copy, sync."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.api.arguments import (
    Caller,
    path_of,
    platforms_of,
    reference_of,
    text_of,
    texts_of,
    texts_of_names,
    time_of,
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
    """Calls that copy and sync images."""

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
            target: likewise; without a tag, the copy gets the tag of the source.
            platform: the platforms to copy; several create a smaller index; by default, all.
            all_platforms: copy all platforms, even if the target usually takes one.
            referrers: also copy signatures, attestations and other referrers.
            include_foreign: also copy foreign layers.
            form: ``oci`` or ``docker``, the format to convert to, which changes the digest.
            compress: ``gzip``, ``zstd`` or ``none``, the compression of layers.
            level: the compression level.
            force: replace a tag at a registry even if it loses platforms.
            accesses: credentials and TLS options for the registries of source and target.
            dry_run: only report the plan to the observer.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: source and target cannot be combined.
            RefusedError: the image does not have the digest in the target, or the tag of the
                target would lose platforms.
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
        """Copy multiple images to one repository, namespace, archive or directory.

        The arguments are those of `copy`. The target is a name without a tag, a namespace that ends
        in ``/``, or a place where each image keeps its name. An archive is only created if all
        images are copied; otherwise the first error is raised.
        """
        from ghcrctl.operations.common.platform_selection import Selection
        from ghcrctl.operations.making.convert import read_conversion
        from ghcrctl.operations.moving.copy import CopyOptions

        chosen = platforms_of(platform)
        select = Selection.of(chosen, everything=all_platforms)
        copy_options = CopyOptions(
            select if chosen or all_platforms else None,
            include_foreign,
            referrers,
            dry_run,
            read_conversion(form, compress, level),
            force=force,
        )
        texts = list(dict.fromkeys(texts_of_names(sources)))
        with self._session() as session:
            return _copy(session, texts, text_of(target), copy_options, accesses, observer)

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
            source: the source repository.
            target: the target repository.
            include: patterns of tags to sync: globs, ``re:REGEX`` or ``semver:RANGE``; by default,
                all tags.
            exclude: patterns of tags to skip in both repositories.
            newer_than: only sync images created after this time; an aware datetime, or text such
                as ``30d``.
            delete: delete tags of the target that are missing from the source.
            platform: the platforms to copy; by default, all.
            referrers: also copy signatures and attestations.
            force: replace tags of the target even if they lose platforms.
            dry_run: only plan.
            keep_going: continue after failures, and return them in the report instead of raising.
            tell: called with the result of each tag.
            observer: receives progress events.

        Raises:
            UsageError: a name has a tag or digest, or a rule is invalid.
            GhcrctlError: the first failure, unless `keep_going`.
        """
        from ghcrctl.operations.sync.plan import Job, check_job

        with self._session() as session:
            job = Job(
                reference_of(session, source),
                reference_of(session, target),
                texts_of(include),
                texts_of(exclude),
                time_of(newer_than, "newer_than"),
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
        """Sync all repositories listed in a file.

        Args:
            file: a YAML or TOML file in the format of ``ghcrctl sync --file``.
            force: as in `sync`.
            dry_run: as in `sync`.
            keep_going: as in `sync`.
            tell: as in `sync`.
            observer: as in `sync`.

        Raises:
            NotFoundError: the file does not exist.
            UsageError: the file is invalid.
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
    copy_options: CopyOptions,
    accesses: Sides,
    observer: Observer,
) -> list[Attempt[str, Copied]]:
    from ghcrctl.operations.common.batch import Attempt, attempt_all
    from ghcrctl.operations.moving.copy_many import open_copy
    from ghcrctl.operations.moving.endpoints.parse import parse_endpoint

    ends = [parse_endpoint(session, text) for text in sources]
    into = parse_endpoint(session, target)
    found: list[Attempt[Endpoint, Copied]] = []
    with open_copy(session, ends, into, copy_options, accesses=accesses) as opened:

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
