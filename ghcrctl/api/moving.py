"""Calls that transfer images between registries and the local store: pull, push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, platforms_of, references_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from ghcrctl.api.arguments import Name, Names, Platforms
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.batch import Attempt
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.operations.moving.push import PushResult
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


class Transfers(Caller):
    """Calls that pull and push images."""

    def pull(
        self,
        name: Name,
        *,
        platform: Platforms = None,
        all_platforms: bool = False,
        skip_foreign: bool = False,
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> PullResult:
        """Pull an image from a registry into the local store.

        Args:
            name: ``NAME[:TAG|@DIGEST]``; without tag and digest, ``latest``.
            platform: the platforms to pull; several create a smaller index; by default, this
                machine's.
            all_platforms: pull all platforms.
            skip_foreign: skip foreign layers (Windows base images).
            dry_run: only report the plan to the observer.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
            UsageError: ``platform`` and ``all_platforms`` are mutually exclusive.
            RefusedError: the name is local.
        """
        [attempt] = self.pull_several(
            [name],
            platform=platform,
            all_platforms=all_platforms,
            skip_foreign=skip_foreign,
            dry_run=dry_run,
            observer=observer,
        )
        return attempt.get()

    def pull_several(  # noqa: PLR0913 one argument an option
        self,
        names: Names,
        *,
        all_tags: bool = False,
        platform: Platforms = None,
        all_platforms: bool = False,
        skip_foreign: bool = False,
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> list[Attempt[Reference, PullResult]]:
        """Pull multiple images concurrently, transferring shared content once.

        If an image fails, the others are still pulled. Each attempt has its result or error.

        Args:
            names: as in `pull`; duplicates are pulled once.
            all_tags: pull all tags of the given repositories.
            platform: as in `pull`.
            all_platforms: as in `pull`.
            skip_foreign: as in `pull`.
            dry_run: as in `pull`.
            observer: receives the progress events of all images, from multiple threads, but one at
                a time for each image.

        Raises:
            UsageError: a name is invalid, or has a tag or digest with ``all_tags``.
        """
        from ghcrctl.oci.reference import distinct
        from ghcrctl.operations.common.batch import attempt_all
        from ghcrctl.operations.common.platform_selection import Selection
        from ghcrctl.operations.moving.pull import pull, tags_of

        select = Selection.of(platforms_of(platform), everything=all_platforms)
        with self._session() as session:
            references = references_of(session, names)
            if all_tags:
                references = [tag for name in references for tag in tags_of(session, name)]

            def act(reference: Reference, workers: Workers) -> PullResult:
                return pull(
                    session,
                    reference,
                    select=select,
                    skip_foreign=skip_foreign,
                    observer=observer,
                    workers=workers,
                    dry_run=dry_run,
                )

            return attempt_all(session, act, distinct(references))

    def push(
        self,
        name: Name,
        *,
        include_foreign: bool = False,
        force: bool = False,
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> PushResult:
        """Push a local image to its registry.

        Args:
            name: ``NAME[:TAG]`` of a local image; without a tag, ``latest``.
            include_foreign: also upload foreign layers (``--allow-nondistributable-artifacts``).
            force: replace a tag even if it loses platforms.
            dry_run: only report the plan to the observer.
            observer: receives progress events.

        Raises:
            NoSuchImageError: the store has no image with this name.
            UsageError: the name has a digest.
            RefusedError: the name is local, or the tag at the registry would lose platforms.
            AuthError: the credential lacks permission to push.
        """
        [attempt] = self.push_several(
            [name],
            include_foreign=include_foreign,
            force=force,
            dry_run=dry_run,
            observer=observer,
        )
        return attempt.get()

    def push_several(
        self,
        names: Names,
        *,
        all_tags: bool = False,
        include_foreign: bool = False,
        force: bool = False,
        dry_run: bool = False,
        observer: Observer = ignore,
    ) -> list[Attempt[Reference, PushResult]]:
        """Push multiple images concurrently, uploading shared layers once.

        Args:
            names: as in `push`.
            all_tags: push all local tags of the given repositories.
            include_foreign: as in `push`.
            force: as in `push`.
            dry_run: as in `push`.
            observer: as in `pull_several`.

        Raises:
            UsageError: a name is invalid, or has a tag or digest with ``all_tags``.
            NoSuchImageError: a repository has no local tags, with ``all_tags``.
        """
        from ghcrctl.oci.reference import distinct
        from ghcrctl.operations.common.batch import attempt_all
        from ghcrctl.operations.moving.push import push, tags_of

        with self._session() as session:
            references = references_of(session, names)
            if all_tags:
                references = [tag for name in references for tag in tags_of(session, name)]

            def act(reference: Reference, workers: Workers) -> PushResult:
                return push(
                    session,
                    reference,
                    include_foreign=include_foreign,
                    observer=observer,
                    workers=workers,
                    dry_run=dry_run,
                    force=force,
                )

            return attempt_all(session, act, distinct(references))
